/* Faults of ring-0 instructions on a flat machine: #DE, #BR, #UD, #NM, #GP, #NP, #SS, #AC, #MF, #XM (SDM 3A 6.15). */
#include "guest.h"
#include "exceptions.h"

static void divide_errors(void) {
    probe("divl %%ecx", : "a"(7), "d"(0), "c"(0));
    check_fault("#DE 32-bit DIV by zero", DE, 0);
    check("#DE leaves EAX alone", trap.eax, 7);
    check("#DE leaves EDX alone", trap.edx, 0);
    check("#DE pushes RF set, like every fault", trap.eflags & EFLAGS_RF, EFLAGS_RF);
    probe("divl %%ecx", : "a"(0), "d"(5), "c"(5));
    check_fault("#DE 32-bit DIV quotient of 33 bits", DE, 0);
    probe("divw %%cx", : "a"(1), "d"(0), "c"(0xABCD0000));
    check_fault("#DE 16-bit DIV by zero", DE, 0);
    probe("divb %%cl", : "a"(0x1000), "c"(0x10));
    check_fault("#DE 8-bit DIV quotient of 9 bits", DE, 0);
    probe("idivl %%ecx", : "a"(0x80000000), "d"(0xFFFFFFFF), "c"(-1));
    check_fault("#DE IDIV most negative by -1", DE, 0);
    probe("idivb %%cl", : "a"(-0x80), "c"(-1));
    check_fault("#DE 8-bit IDIV -128 by -1", DE, 0);
    probe("aam $0", : "a"(0x1234));
    check_fault("#DE AAM 0", DE, 0);
    u32 quotient = 0x80000000, remainder = 0xFFFFFFFF;
    probe("idivl %%ecx", "+a"(quotient), "+d"(remainder) : "c"(1));
    check_no_trap("IDIV most negative by 1");
    check("IDIV most negative by 1: quotient", quotient, 0x80000000);
}

/* BOUND EAX, [ECX]: the assembler knows no name for it. */
#define BOUND32 ".byte 0x62, 0x01"

static void bounds(void) {
    static const i32 wide[2] = {-5, 10};
    static const i16 narrow[2] = {-5, 10};
    probe(BOUND32, : "a"(11), "c"(wide));
    check_fault("#BR above the upper bound", BR, 0);
    probe(BOUND32, : "a"(-6), "c"(wide));
    check_fault("#BR below the lower bound", BR, 0);
    probe(BOUND32, : "a"(10), "c"(wide));
    check_no_trap("BOUND at the upper bound");
    probe(".byte 0x66; " BOUND32, : "a"(0x7FFF000B), "c"(narrow));
    check_fault("#BR 16-bit above the upper bound", BR, 0);
    probe(".byte 0x66; " BOUND32, : "a"(0x1234FFFB), "c"(narrow));
    check_no_trap("BOUND 16-bit at the lower bound");
}

static u32 cell;

/* Encodings the opcode maps reserve, operand forms that do not exist, and LOCK where it is not allowed (SDM 2A "LOCK"). */
static void undefined_opcodes(void) {
#define UNDEFINED(name, code)                                     \
    probe(code, : "a"(&cell), "b"(&cell), "c"(&cell), "d"(&cell)); \
    check_fault("#UD " name, UD, 0)
    UNDEFINED("UD2", "ud2");
    UNDEFINED("UD1 (0F B9)", ".byte 0x0F, 0xB9, 0xC0");
    UNDEFINED("MOV CS, r", ".byte 0x8E, 0xC8");
    UNDEFINED("MOV to segment register 6", ".byte 0x8E, 0xF0");
    UNDEFINED("MOV from segment register 7", ".byte 0x8C, 0xF8");
    UNDEFINED("MOV from CR1", ".byte 0x0F, 0x20, 0xC8");
    UNDEFINED("MOV to CR5", ".byte 0x0F, 0x22, 0xE8");
    UNDEFINED("LEA with a register operand", ".byte 0x8D, 0xC0");
    UNDEFINED("BOUND with a register operand", ".byte 0x66, 0x62, 0xC1");
    UNDEFINED("LSS with a register operand", ".byte 0x0F, 0xB2, 0xC0");
    UNDEFINED("0F 01 CF", ".byte 0x0F, 0x01, 0xCF");
    UNDEFINED("JMP far with a register operand", ".byte 0xFF, 0xE8");
    UNDEFINED("FF /7", ".byte 0xFF, 0x38");
    UNDEFINED("FE /2", ".byte 0xFE, 0x10");
    UNDEFINED("8F /1", ".byte 0x8F, 0x08");
    UNDEFINED("C7 /1", ".byte 0xC7, 0x08, 0, 0, 0, 0");
    UNDEFINED("0F BA /3", ".byte 0x0F, 0xBA, 0x18, 0");
    UNDEFINED("CMPXCHG8B with a register operand", ".byte 0x0F, 0xC7, 0xC8");
    UNDEFINED("LOCK NOP", ".byte 0xF0, 0x90");
    UNDEFINED("LOCK ADD r, r", ".byte 0xF0, 0x01, 0xC0");
    UNDEFINED("LOCK ADD r, m", ".byte 0xF0, 0x03, 0x01");
    UNDEFINED("LOCK CMP m, r", ".byte 0xF0, 0x39, 0x01");
    UNDEFINED("LOCK BT m, r", ".byte 0xF0, 0x0F, 0xA3, 0x01");
    UNDEFINED("LOCK TEST m, r", ".byte 0xF0, 0x85, 0x01");
    UNDEFINED("LOCK MOV m, r", ".byte 0xF0, 0x89, 0x01");
#undef UNDEFINED
    check("#UD pushes RF set", trap.eflags & EFLAGS_RF, EFLAGS_RF);
    cell = 1;
    probe("lock addl $2, %0", "+m"(cell));
    check_no_trap("LOCK ADD m, imm is legal");
    check("LOCK ADD m, imm", cell, 3);
}

static void instruction_length(void) {
    probe(".fill 14, 1, 0x3E; nop");
    check_no_trap("15 bytes with prefixes");
    probe(".fill 15, 1, 0x3E; nop");
    check_fault("#GP 16 bytes with prefixes", GP, 0);
}

/* #NM against CR0.EM, MP and TS (SDM 3A 2.5, table 9-3 "x87"). */
static void no_math(void) {
    u32 cr0 = read_cr0();
    static const struct { u32 bits; bool wait_traps, x87_traps; const char *name; } table[] = {
        {0, false, false, "none"},          {CR0_TS, false, true, "TS"},
        {CR0_MP, false, false, "MP"},       {CR0_MP | CR0_TS, true, true, "MP+TS"},
        {CR0_EM, false, true, "EM"},        {CR0_EM | CR0_TS, false, true, "EM+TS"},
        {CR0_EM | CR0_MP, false, true, "EM+MP"}, {CR0_EM | CR0_MP | CR0_TS, true, true, "EM+MP+TS"},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        char name[64];
        write_cr0((cr0 & ~(CR0_EM | CR0_MP | CR0_TS)) | table[i].bits);
        format(name, "FNOP with CR0 bits %s", table[i].name);
        probe("fnop");
        if (table[i].x87_traps) check_fault(name, NM, 0); else check_no_trap(name);
        format(name, "WAIT with CR0 bits %s", table[i].name);
        probe("fwait");
        if (table[i].wait_traps) check_fault(name, NM, 0); else check_no_trap(name);
    }
    write_cr0(cr0 | CR0_TS);
    asm volatile("clts");
    check("CLTS clears CR0.TS", read_cr0() & CR0_TS, 0);
    write_cr0(cr0);
}

/* Selector error codes: the selector without its RPL (SDM 3A 6.13). */
static void segment_faults(void) {
    set_gdt(SPARE(0), descriptor(0, 0xFFFFF, (DATA_RW & ~PRESENT) | DPL(3), FLAT));
    set_gdt(SPARE(1), descriptor(0, 0xFFF, DATA_RW, BIG));
    set_gdt(SPARE(2), descriptor(0, 0x7FF, DATA_RW, FLAT)); /* the first 8 MiB */
    set_gdt(SPARE(3), descriptor(0, 0xFFFFF, DATA_RW & ~PRESENT, FLAT));
    probe("movl %%eax, %%ds", : "a"(SPARE(0) | 3));
    check_fault("#NP loading DS", NP, SPARE(0));
    probe("movl %%eax, %%ss", : "a"(SPARE(3)));
    check_fault("#SS loading SS with a segment not present", SS, SPARE(3));
    probe("movl %%eax, %%es", : "a"(GDT_ENTRIES * 8));
    check_fault("#GP loading ES beyond the GDT", GP, GDT_ENTRIES * 8);
    probe("movl %%eax, %%ss", : "a"(0));
    check_fault("#GP loading SS with null", GP, 0);
    probe("movl %%eax, %%gs", : "a"(0x1234 | 4));
    check_fault("#GP names the LDT in its error code", GP, 0x1234 | 4);
    probe("movl %%eax, %%fs; movl %%fs:0x1000, %%ecx", : "a"(SPARE(1)) : "ecx");
    check_trap("#GP beyond a data segment's limit", GP, 0, 2);
    load_segment(fs, KERNEL_DS);
    probe("movl %%eax, %%ss; movl %%ss:0x800000, %%ecx; int $0x30", : "a"(SPARE(2)) : "ecx");
    check_trap("#SS beyond the stack segment's limit", SS, 0, 2);
    probe("movl %%eax, %%ss; xchgl %%ebp, %%ecx; movl (%%ebp), %%edx; int $0x30",
          : "a"(SPARE(2)), "c"(0x800000) : "edx", "ebp");
    check_trap("#SS for EBP-based operands", SS, 0, 4);
    outer_ss = SPARE(4) | 3;
    outer_esp = 0x800000 + 4;
    set_gdt(SPARE(4), descriptor(0, 0x7FF, DATA_RW | DPL(3), FLAT));
    probe_outer("pushl %%eax", : "a"(0));
    check_fault("#SS PUSH in ring 3 beyond the limit", SS, 0);
    check("#SS leaves ESP alone", trap.esp, outer_esp);
    ring_reset();
}

/* #AC needs CR0.AM, EFLAGS.AC and ring 3 (SDM 3A 6.15 "Interrupt 17"). */
static void alignment(void) {
    static u32 words[4];
    u32 odd = (u32)words + 1, cr0 = read_cr0();
    write_cr0(cr0 | CR0_AM);
    write_eflags(read_eflags() | EFLAGS_AC);
    probe("movl (%0), %%eax", : "r"(odd) : "eax");
    check_no_trap("misaligned access in ring 0 with AC and AM");
    write_eflags(2);
    outer_eflags = 2 | EFLAGS_AC;
    probe_outer("movl (%0), %%eax", : "r"(odd) : "eax");
    check_fault("#AC misaligned doubleword in ring 3", AC, 0);
    probe_outer("movw (%0), %%ax", : "r"(odd) : "eax");
    check_fault("#AC misaligned word in ring 3", AC, 0);
    probe_outer("movw 1(%0), %%ax", : "r"(odd) : "eax");
    check_vector("aligned word in ring 3", REACHED, 0);
    probe_outer("movb (%0), %%al", : "r"(odd) : "eax");
    check_vector("byte at an odd address in ring 3", REACHED, 0);
    probe_outer("movl %%eax, 1(%0)", : "r"(odd), "a"(0));
    check_fault("#AC doubleword store aligned to 2 in ring 3", AC, 0);
    outer_eflags = 2;
    probe_outer("movl (%0), %%eax", : "r"(odd) : "eax");
    check_vector("misaligned access in ring 3 with EFLAGS.AC clear", REACHED, 0);
    outer_eflags = 2 | EFLAGS_AC;
    write_cr0(cr0 & ~CR0_AM);
    probe_outer("movl (%0), %%eax", : "r"(odd) : "eax");
    check_vector("misaligned access in ring 3 with CR0.AM clear", REACHED, 0);
    ring_reset();
    write_cr0(cr0);
}

static void math_faults(void) {
    u32 cr0 = read_cr0();
    static const u16 unmask_zero_divide = 0x037B;
    write_cr0(cr0 | CR0_NE);
    asm volatile("fninit; fldcw %0" : : "m"(unmask_zero_divide));
    probe("fld1; fldz; fdivrp %%st, %%st(1); nop; fwait");
    check_trap("#MF is reported by the next waiting instruction", MF, 0, 7);
    probe("fnstsw %%ax; fnclex; fwait", : : "eax");
    check_no_trap("FNSTSW does not report a pending #MF, FNCLEX drops it");
    asm volatile("fninit");
    write_cr0(cr0);

    if (!cpu_has(CPU_SSE)) return skip("#XM", "SSE");
    static const u32 unmask_divide = 0x1D80, one = 0x3F800000;
    enum { OSFXSR = 1 << 9, OSXMMEXCPT = 1 << 10 };
    u32 cr4 = read_cr4();
    write_cr4(cr4 | OSFXSR | OSXMMEXCPT);
    /* LDMXCSR; XORPS XMM1, XMM1; MOVSS XMM0, one; DIVSS XMM0, XMM1 */
    probe(".byte 0x0F, 0xAE, 0x10, 0x0F, 0x57, 0xC9, 0xF3, 0x0F, 0x10, 0x01; .byte 0xF3, 0x0F, 0x5E, 0xC1",
          : "a"(&unmask_divide), "c"(&one));
    check_trap("#XM unmasked SSE division by zero", XM, 0, 10);
    write_cr4(cr4 | OSFXSR);
    probe(".byte 0xF3, 0x0F, 0x5E, 0xC1");
    check_fault("#UD unmasked SSE exception without CR4.OSXMMEXCPT", UD, 0);
    write_cr4(cr4 & ~OSFXSR);
    probe(".byte 0x0F, 0x57, 0xC9");
    check_fault("#UD SSE without CR4.OSFXSR", UD, 0);
    write_cr4(cr4);
}

void faults(void) {
    divide_errors();
    bounds();
    undefined_opcodes();
    instruction_length();
    no_math();
    segment_faults();
    alignment();
    math_faults();
}
