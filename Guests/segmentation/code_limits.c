/* Limits of code segments: the target of every kind of near transfer, and running off the end (SDM 3A 5.3). */
#include "segmentation.h"

/* Run in a segment whose base is at `edge` and whose limit is 0x1F: the last instruction is at 0x1F. */
SNIPPET(edge, ".fill 0x1F, 1, 0x90\nnop\nint $0x30\n.fill 0x100, 1, 0xCC");
SNIPPET(jumps, "jmp . + 0x40\n.fill 30, 1, 0xCC");
SNIPPET(conditional, "stc; jc . + 0x40\n.fill 29, 1, 0xCC");
SNIPPET(calls, "call . + 0x40\n.fill 30, 1, 0xCC");
SNIPPET(indirect, "movl $0x20, %ecx; jmp *%ecx\n.fill 30, 1, 0xCC");
SNIPPET(returns, "pushl $0x20; ret\n.fill 30, 1, 0xCC");
SNIPPET(loops, "movl $5, %ecx; loop . + 0x30\n.fill 30, 1, 0xCC");
SNIPPET(straddles, ".fill 0x1E, 1, 0x90\nmovl $1, %eax\n.fill 0x100, 1, 0xCC");

static void run_at(const u8 *code) {
    static struct far_pointer entry = {0, SPARE(0)};
    set_gdt(SPARE(0), descriptor((u32)code, 0x1F, CODE_XR, BIG));
    probe("ljmp *%0", : "m"(entry) : "ecx", "eax");
}

static void check_at(const char *name, const u8 *code, u32 eip) {
    char text[96];
    run_at(code);
    check_vector(name, GP, 0);
    format(text, "%s: EIP", name);
    check(text, trap.eip, eip);
}

void code_limits(void) {
    check_at("#GP running off the end of a code segment", edge, 0x20);
    check_at("#GP instruction across the end of a code segment", straddles, 0x1E);
    check_at("#GP JMP beyond the limit", jumps, 0);
    check_at("#GP Jcc beyond the limit", conditional, 1);
    check_at("#GP CALL beyond the limit", calls, 0);
    check("#GP CALL beyond the limit leaves ESP alone", trap.esp, probe_esp);
    check_at("#GP indirect JMP beyond the limit", indirect, 5);
    check_at("#GP RET beyond the limit", returns, 2);
    check("#GP RET beyond the limit leaves ESP alone", trap.esp, probe_esp - 4);
    check_at("#GP LOOP beyond the limit", loops, 5);
    check("#GP LOOP beyond the limit leaves ECX alone", trap.ecx, 5);

    struct far_pointer beyond = {0x20, SPARE(0)};
    probe("ljmp *%0", : "m"(beyond));
    check_fault("#GP far JMP beyond the limit", GP, 0);
}
