/* IF and IOPL by ring: CLI, STI, PUSHF and POPF (SDM 2B "POPF", table 4-16; 3A 5.9). */
#include "gates.h"

static void by_ring(void) {
    struct tally cli = {0}, sti = {0}, popf = {0}, pushf = {0};
    for (u32 ring = 1; ring < 4; ring++)
        for (u32 iopl = 0; iopl < 4; iopl++)
            for (u32 enabled = 0; enabled < 2; enabled++) {
                char text[96], *end = format(text, "ring %u IOPL %u IF %u: ", ring, iopl, enabled);
                bool may = ring <= iopl;
                enter_from(ring);
                outer_eflags = iopl << 12 | (enabled ? EFLAGS_IF : 0) | 2;
                probe_outer("cli");
                describe_trap(end, &trap);
                tally(&cli, may ? trap.vector == REACHED && !(trap.eflags & EFLAGS_IF) : trap.vector == GP, text);
                probe_outer("sti");
                describe_trap(end, &trap);
                tally(&sti, may ? trap.vector == REACHED && trap.eflags & EFLAGS_IF : trap.vector == GP, text);
                /* Change everything: IF as allowed, IOPL never outside ring 0, status always. */
                u32 wanted = (outer_eflags ^ (EFLAGS_IF | EFLAGS_IOPL)) | EFLAGS_CF | EFLAGS_OF | EFLAGS_DF;
                u32 expected = (may ? outer_eflags ^ EFLAGS_IF : outer_eflags) | EFLAGS_CF | EFLAGS_OF | EFLAGS_DF;
                probe_outer("pushl %0; popfl", : "r"(wanted));
                format(end, "%x", trap.eflags);
                tally(&popf, trap.vector == REACHED && trap.eflags == expected, text);
                probe_outer("pushfl; popl %%ebx", : : "ebx");
                format(end, "%x", trap.ebx);
                tally(&pushf, trap.vector == REACHED && trap.ebx == outer_eflags, text);
            }
    check_tally("CLI by ring and IOPL", &cli);
    check_tally("STI by ring and IOPL", &sti);
    check_tally("POPF by ring and IOPL never traps", &popf);
    check_tally("PUSHF shows IF and IOPL in every ring", &pushf);
    ring_reset();
}

static u32 through_popf(u32 value) {
    u32 result;
    asm volatile("pushl %1; popfl; pushfl; popl %0; pushl $2; popfl" : "=r"(result) : "r"(value) : "cc");
    return result;
}

static void in_ring_0(void) {
    u32 most = EFLAGS_IOPL | EFLAGS_NT | EFLAGS_AC | EFLAGS_STATUS | EFLAGS_DF | 2;
    check("POPF in ring 0 sets IOPL, NT, AC, DF and the status", through_popf(most), most);
    check("POPF in ring 0 clears them", through_popf(0), 2);
    check("POPF does not change VM", through_popf(EFLAGS_VM) & EFLAGS_VM, 0);
    check("POPF clears RF", through_popf(EFLAGS_RF) & EFLAGS_RF, 0);
    check("bits 3, 5 and 15 are zero", through_popf(0x8028), 2);
    u32 result;
    asm volatile("pushl %1; popfl; pushw $2; popfw; pushfl; popl %0; pushl $2; popfl"
                 : "=r"(result) : "r"(EFLAGS_AC | EFLAGS_CF | 2) : "cc");
    check("16-bit POPF leaves the upper half alone", result, EFLAGS_AC | 2);
    asm volatile("movl %%esp, %%ecx; pushl %1; popfl; pushfw; subl %%esp, %%ecx; movzwl (%%esp), %0; addl $2, %%esp"
                 : "=r"(result) : "r"(EFLAGS_AC | EFLAGS_IOPL | 2) : "ecx", "cc");
    check("16-bit PUSHF", result, EFLAGS_IOPL | 2);
    write_eflags(2);
    asm volatile("movb $0xD5, %%ah; sahf; pushfl; popl %0" : "=r"(result) : : "eax", "cc");
    check("SAHF loads SF, ZF, AF, PF and CF", result, 0xD7);
    asm volatile("stc; movb $0, %%ah; lahf; movzbl %%ah, %0" : "=r"(result) : : "eax", "cc");
    check("LAHF stores CF and the one bit", result & 3, 3);
}

void flags(void) {
    by_ring();
    in_ring_0();
}
