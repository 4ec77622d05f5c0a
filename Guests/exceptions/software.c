/* INT n: the vector reached, what is pushed, and the error codes of bad gates (SDM 3A 6.12, 6.13). */
#include "guest.h"
#include "exceptions.h"

/* One `int $n; ret` of four bytes for each vector. */
extern const u8 all_interrupts[256][4];
asm(".pushsection .text; .p2align 2\n"
    "all_interrupts: .set n, 0; .rept 256; .byte 0xCD, n; ret; nop; .set n, n + 1; .endr\n"
    ".popsection");

/* For INT 13: what it pushed, on a stub that does not expect an error code. */
struct { u32 eip, cs, eflags; } pushed; /* by name in assembly, so not static */
extern const u8 raw_entry[];
asm(".pushsection .text\n"
    "raw_entry: popl pushed; popl pushed + 4; popl pushed + 8\n"
    "pushl pushed + 8; pushl pushed + 4; pushl pushed; iretl\n"
    ".popsection");

enum { IDT_FLAG = 2, EXTERNAL = 1 };
#define GATE_ERROR(vector, external) ((vector) * 8 | IDT_FLAG | (external))

static void reach_all(void) {
    u32 reached = 0;
    for (u32 n = 0; n < 256; n++) {
        bool stub_expects_error_code = n == DF || (n >= TS && n <= PF) || n == AC;
        if (stub_expects_error_code) continue;
        probe("call *%0", : "r"(all_interrupts[n]));
        reached += trap.vector == n && trap.eip == (u32)all_interrupts[n] + 2 && trap.cs == KERNEL_CS;
    }
    check("INT n reaches vector n, EIP after it", reached, 256 - 7);

    set_idt(GP, gate(INTERRUPT_GATE32, KERNEL_CS, (u32)raw_entry, 0));
    u32 before;
    asm volatile("movl %%esp, %0; int $13" : "=r"(before) : : "memory");
    set_idt(GP, default_gate(GP, 0));
    check("INT 13 pushes no error code: CS", pushed.cs, KERNEL_CS);
    check("INT 13 pushes no error code: reserved bit of EFLAGS", pushed.eflags & 0xFFF08A2A, 2);
}

static void bad_gates(void) {
    enum { V = 0x50 };
    set_idt(V, default_gate(V, 0) & ~((u64)PRESENT << 40));
    probe("int $0x50");
    check_fault("#NP INT n through a gate not present", NP, GATE_ERROR(V, 0));
    set_idt(V, gate(CALL_GATE32, KERNEL_CS, (u32)raw_entry, 0));
    probe("int $0x50");
    check_fault("#GP INT n through a call gate", GP, GATE_ERROR(V, 0));
    set_idt(V, 0);
    probe("int $0x50");
    check_fault("#GP INT n through an empty entry", GP, GATE_ERROR(V, 0));
    set_idt(V, gate(INTERRUPT_GATE32, 0, (u32)raw_entry, 0));
    probe("int $0x50");
    check_fault("#GP INT n to a null code selector", GP, 0);
    set_idt(V, gate(INTERRUPT_GATE32, KERNEL_DS, (u32)raw_entry, 0));
    probe("int $0x50");
    check_fault("#GP INT n to a data segment", GP, KERNEL_DS);
    set_gdt(SPARE(0), descriptor(0, 0xFFFFF, CODE_XR & ~PRESENT, FLAT));
    set_idt(V, gate(INTERRUPT_GATE32, SPARE(0), (u32)raw_entry, 0));
    probe("int $0x50");
    check_fault("#NP INT n to a code segment not present", NP, SPARE(0));
    set_gdt(SPARE(0), descriptor(0, 0xFF, CODE_XR, BIG));
    set_idt(V, gate(INTERRUPT_GATE32, SPARE(0), 0x100, 0));
    probe("int $0x50");
    check_fault("#GP INT n beyond the code segment's limit", GP, 0);
    set_idt(V, gate(INTERRUPT_GATE32, USER_CS, (u32)raw_entry, 0));
    probe("int $0x50");
    check_fault("#GP INT n to an outer ring", GP, USER_CS & ~3);
    set_idt(V, default_gate(V, 0));
    probe_outer("int $0x50");
    check_fault("#GP INT n in ring 3 through a gate of DPL 0", GP, GATE_ERROR(V, 0));
    probe_outer("int3");
    check_fault("#GP INT3 in ring 3 through a gate of DPL 0", GP, GATE_ERROR(BP, 0));
    probe_outer("ud2");
    check_fault("#UD in ring 3 ignores the DPL of its gate", UD, 0);
    set_idt(V, default_gate(V, 3));
    probe_outer("int $0x50");
    check_trap("INT n in ring 3 through a gate of DPL 3", V, 0, 2);
    check("INT n in ring 3 pushes the outer SS", trap.ss, USER_DS);
    check("INT n in ring 3 pushes the outer ESP", trap.esp, (u32)user_stack_top);

    struct table_register shorter = {V * 8 - 1, (u32)idt};
    asm volatile("lidt %0" : : "m"(shorter));
    probe("int $0x50");
    asm volatile("lidt %0" : : "m"(idt_descriptor));
    check_fault("#GP INT n beyond the IDT's limit", GP, GATE_ERROR(V, 0));
}

/* The same for exceptions: EXT is set in the error code. */
static void bad_exception_gates(void) {
    set_idt(UD, default_gate(UD, 0) & ~((u64)PRESENT << 40));
    probe("ud2");
    check_fault("#NP delivering #UD has EXT set", NP, GATE_ERROR(UD, EXTERNAL));
    set_idt(UD, default_gate(UD, 0));
    set_idt(NM, gate(INTERRUPT_GATE32, KERNEL_DS, (u32)raw_entry, 0));
    u32 cr0 = read_cr0();
    write_cr0(cr0 | CR0_TS);
    probe("fnop");
    write_cr0(cr0);
    set_idt(NM, default_gate(NM, 0));
    check_fault("#GP delivering #NM has EXT set", GP, KERNEL_DS | EXTERNAL);
    set_idt(BP, default_gate(BP, 0) & ~((u64)PRESENT << 40));
    probe("int3");
    check_fault("#NP delivering INT3 has EXT clear", NP, GATE_ERROR(BP, 0));
    set_idt(BP, default_gate(BP, 0));
    set_idt(DB, default_gate(DB, 0) & ~((u64)PRESENT << 40));
    probe(".byte 0xF1");
    check_fault("#NP delivering ICEBP has EXT set", NP, GATE_ERROR(DB, EXTERNAL));
    set_idt(DB, default_gate(DB, 0));
}

/* #TS: the inner stack in the TSS is bad. The handler of the interrupt is in ring 1, so that #TS itself, whose handler is
 * in ring 0, finds a good one. */
static void bad_inner_stacks(void) {
    enum { V = 0x51 };
    u16 ring1_code = SPARE(0), ring1_stack = SPARE(1);
    set_gdt(ring1_code, descriptor(0, 0xFFFFF, CODE_XR | DPL(1), FLAT));
    set_idt(V, gate(INTERRUPT_GATE32 | DPL(3), ring1_code | 1, (u32)raw_entry, 0));
    main_tss.esp1 = (u32)boot_stack_top - 2048;
    static const struct { const char *name; u32 vector, access, selector; } table[] = {
        {"#TS inner SS is null", TS, DATA_RW | DPL(1), 0},
        {"#TS inner SS beyond the GDT", TS, DATA_RW | DPL(1), GDT_ENTRIES * 8 | 1},
        {"#TS inner SS with the wrong RPL", TS, DATA_RW | DPL(1), SPARE(1) | 2},
        {"#TS inner SS with the wrong DPL", TS, DATA_RW | DPL(2), SPARE(1) | 1},
        {"#TS inner SS is read-only", TS, DATA_RO | DPL(1), SPARE(1) | 1},
        {"#TS inner SS is code", TS, CODE_XR | DPL(1), SPARE(1) | 1},
        {"#SS inner SS is not present", SS, (DATA_RW | DPL(1)) & ~PRESENT, SPARE(1) | 1},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        set_gdt(ring1_stack, descriptor(0, 0xFFFFF, table[i].access, FLAT));
        main_tss.ss1 = table[i].selector;
        probe_outer("int $0x51");
        check_fault(table[i].name, table[i].vector, table[i].selector & ~3);
    }
    /* Too short for SS1:ESP1 (offset 12), long enough for SS0:ESP0. */
    set_gdt(TSS_SELECTOR, descriptor((u32)&main_tss, 15, TSS32, 0));
    asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
    probe_outer("int $0x51");
    check_fault("#TS the TSS is too short for the inner stack", TS, TSS_SELECTOR);
    set_gdt(TSS_SELECTOR, descriptor((u32)&main_tss, sizeof main_tss - 1, TSS32, 0));
    asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

void software_interrupts(void) {
    reach_all();
    bad_gates();
    bad_exception_gates();
    bad_inner_stacks();
}
