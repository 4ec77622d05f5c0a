/* The sensitive unprivileged instructions of J. S. Robin and C. E. Irvine, "Analysis of the Intel Pentium's Ability to Support
 * a Secure Virtual Machine Monitor" (USENIX Security 2000, section 3): each must show ring 0 a machine in which it is ring 0,
 * whatever a monitor has made of it; and ring 3, one in which it is not. */
#include "guest.h"

const char guest_name[] = "sensitive";
SNIPPET(far_target, "popl %eax; popl %ecx; movl %cs, %edx; pushl %ecx; pushl %eax; lret");

static void table_registers(void) {
    struct table_register stored;
    memset(&stored, 0, sizeof stored);
    asm volatile("sgdt %0" : "+m"(stored));
    check("SGDT: base", stored.base, (u32)gdt);
    check("SGDT: limit", stored.limit, sizeof gdt - 1);
    memset(&stored, 0, sizeof stored);
    asm volatile("sidt %0" : "+m"(stored));
    check("SIDT: base", stored.base, (u32)idt);
    check("SIDT: limit", stored.limit, sizeof idt - 1);
    u32 value = 0xAAAAAAAA;
    u16 word = 0xAAAA;
    set_gdt(SPARE(0), descriptor((u32)idt, 7, LDT, 0));
    asm volatile("lldt %w1; sldt %0; lldt %w2" : "=r"(value) : "r"(SPARE(0)), "r"(0));
    check("SLDT to a register", value, SPARE(0));
    asm volatile("sldt %0" : "=m"(word));
    check("SLDT to memory, null", word, 0);
    value = 0xAAAAAAAA;
    asm volatile("str %0" : "+r"(value));
    check("STR to a register", value, TSS_SELECTOR);
    asm volatile("str %0" : "=m"(word));
    check("STR to memory", word, TSS_SELECTOR);
    /* Ring 3 sees the same tables. */
    static struct table_register outside;
    static u16 outside_words[2];
    probe_outer("sgdt %0", : "m"(outside));
    check("SGDT in ring 3", outside.base, (u32)gdt);
    probe_outer("sidt %0", : "m"(outside));
    check("SIDT in ring 3", outside.base, (u32)idt);
    probe_outer("sldt %0; str %1", : "m"(outside_words[0]), "m"(outside_words[1]));
    check("SLDT and STR in ring 3", outside_words[0] | outside_words[1] << 16, TSS_SELECTOR << 16);
}

static void machine_status(void) {
    u32 cr0 = read_cr0(), value;
    u16 word = 0;
    asm volatile("smsw %0" : "=m"(word));
    check("SMSW to memory", word, cr0 & 0xFFFF);
    asm volatile("smsw %w0" : "=r"(value) : "0"(0xAAAA0000));
    check("SMSW to a 16-bit register", value, 0xAAAA0000 | (cr0 & 0xFFFF));
    write_cr0(cr0 | CR0_TS);
    asm volatile("smsw %w0" : "=r"(value) : "0"(0));
    check("SMSW follows CR0.TS", value & CR0_TS, CR0_TS);
    asm volatile("lmsw %w0" : : "r"(CR0_MP));
    check("LMSW sets MP, clears TS, cannot clear PE", read_cr0() & 0xF, CR0_PE | CR0_MP);
    write_cr0(cr0);
    probe_outer("xorl %%eax, %%eax; smsw %%ax", : : "eax");
    check("SMSW in ring 3", trap.eax, cr0 & 0xFFFF);
}

static void flags(void) {
    u32 value;
    write_eflags(EFLAGS_IOPL | EFLAGS_NT | 2);
    value = read_eflags();
    write_eflags(2);
    check("PUSHF shows IOPL and NT as POPF set them", value, EFLAGS_IOPL | EFLAGS_NT | 2);
    asm volatile("sti; pushfl; cli; popl %0" : "=r"(value));
    check("PUSHF shows IF set by STI", value & EFLAGS_IF, EFLAGS_IF);
    check("PUSHF shows IF cleared by CLI", read_eflags() & EFLAGS_IF, 0);
    asm volatile("pushl $0x202; popfl; pushfl; cli; popl %0" : "=r"(value));
    check("PUSHF shows IF set by POPF", value & EFLAGS_IF, EFLAGS_IF);
    asm volatile("sti; pushl $2; popfl; pushfl; popl %0" : "=r"(value));
    check("PUSHF shows IF cleared by POPF", value & EFLAGS_IF, 0);
    asm volatile("sti; pushw $2; popfw; pushfw; popw %w0; cli" : "=r"(value) : "0"(0));
    check("the same in 16 bits", value & EFLAGS_IF, 0);
    ring_reset();
    outer_eflags = EFLAGS_IF | 2;
    probe_outer("pushl $2; popfl; pushfl; popl %%eax", : : "eax");
    check("POPF in ring 3 leaves IF alone", trap.eax & EFLAGS_IF, EFLAGS_IF);
    check("and it is still set", trap.eflags & EFLAGS_IF, EFLAGS_IF);
    ring_reset();
}

/* A monitor's own segments must not shine through, nor the ring it runs the guest in. */
static void segment_registers(void) {
    u32 value, flags;
#define MOVED(name, reg, expected)                                                        \
    asm volatile("movl %%" reg ", %0" : "=r"(value) : "0"(0xAAAAAAAA));                   \
    check("MOV r, " name, value, expected);                                               \
    asm volatile("pushl $0; popl %0; pushl %%" reg "; popl %0" : "=&r"(value));           \
    check("PUSH " name, value & 0xFFFF, expected)
    MOVED("CS", "cs", KERNEL_CS);
    MOVED("SS", "ss", KERNEL_DS);
    MOVED("DS", "ds", KERNEL_DS);
    MOVED("ES", "es", KERNEL_DS);
    load_segment(fs, USER_DS);
    load_segment(gs, 3);
    MOVED("FS", "fs", USER_DS);
    MOVED("GS", "gs", 3);
    load_segment(fs, KERNEL_DS);
    load_segment(gs, KERNEL_DS);
    u16 word;
    asm volatile("movw %%cs, %0" : "=m"(word));
    check("MOV m, CS", word, KERNEL_CS);
    u32 memory = 0xAAAAAAAA;
    asm volatile(".byte 0x8C, 0x16" : : "S"(&memory) : "memory"); /* MOV [ESI], SS with 32-bit operands */
    check("MOV m, SS writes 16 bits", memory, 0xAAAA0000 | KERNEL_DS);
    asm volatile("pushl %1; popl %%fs; movl %%fs, %0" : "=r"(value) : "r"(USER_DS));
    check("POP FS", value, USER_DS);
    asm volatile("pushl %%ss; popl %%ss; movl %%ss, %0" : "=r"(value));
    check("POP SS", value, KERNEL_DS);
    probe("pushl %0; popl %%ss", : "r"(USER_DS));
    check_trap("#GP POP SS of ring 3's", GP, USER_DS & ~3, 1);
    load_segment(fs, KERNEL_DS);

    asm volatile("larl %2, %0; pushfl; popl %1" : "=r"(value), "=r"(flags) : "r"(KERNEL_CS) : "cc");
    check("LAR of CS: valid", flags & EFLAGS_ZF, EFLAGS_ZF);
    check("LAR of CS: ring 0 code", value & 0xFF00, (CODE_XR | ACCESSED) << 8);
    asm volatile("lsll %2, %0; pushfl; popl %1" : "=r"(value), "=r"(flags) : "r"(KERNEL_DS) : "cc");
    check("LSL of DS: the whole address space", value, 0xFFFFFFFF);
    asm volatile("verr %w1; pushfl; popl %0" : "=r"(flags) : "r"(KERNEL_DS) : "cc");
    check("VERR of DS", flags & EFLAGS_ZF, EFLAGS_ZF);
    asm volatile("verw %w1; pushfl; popl %0" : "=r"(flags) : "r"(KERNEL_DS) : "cc");
    check("VERW of DS", flags & EFLAGS_ZF, EFLAGS_ZF);
    asm volatile("verw %w1; pushfl; popl %0" : "=r"(flags) : "r"(KERNEL_CS) : "cc");
    check("VERW of CS", flags & EFLAGS_ZF, 0);

    ring_reset();
    probe_outer("movl %%cs, %%eax; movl %%ss, %%ebx; larl %%esi, %%ecx; setz %%dl; verr %%di; setz %%dh",
                : "d"(0), "S"(KERNEL_CS), "D"(KERNEL_DS) : "eax", "ebx", "ecx");
    check("ring 3: CS", trap.eax, USER_CS);
    check("ring 3: SS", trap.ebx, USER_DS);
    check("ring 3: LAR of ring 0's code", trap.edx & 0xFF, 0);
    check("ring 3: VERR of ring 0's data", trap.edx >> 8 & 0xFF, 0);
}

static void transfers(void) {
    static struct far_pointer to = {0, KERNEL_CS};
    u32 pushed, current, flags;
    to.offset = (u32)far_target;
    asm volatile("lcall *%2" : "=c"(pushed), "=d"(current) : "m"(to) : "eax", "memory");
    check("far CALL pushes CS with RPL 0", pushed, KERNEL_CS);
    check("far CALL: CS", current, KERNEL_CS);
    asm volatile("pushl %%cs; call far_target; movl %%cs, %0" : "=r"(current), "=c"(pushed) : : "eax", "edx", "memory");
    check("far RET: CS", current, KERNEL_CS);
    asm volatile("ljmpl $0x08, $1f; 1: movl %%cs, %0" : "=r"(current));
    check("far JMP: CS", current, KERNEL_CS);
    probe("ljmpl $0x0B, $1f; 1:");
    check_fault("#GP far JMP with an RPL greater than CPL", GP, KERNEL_CS);
    probe("ljmpl $0x1B, $1f; 1:");
    check_fault("#GP far JMP to ring 3", GP, USER_CS & ~3);

    probe("pushl $0x202; popfl; int $0x50; cli");
    check("INT n pushes CS with RPL 0", trap.cs, KERNEL_CS);
    check("INT n pushes IF as the guest set it", trap.eflags & (EFLAGS_IF | EFLAGS_IOPL | EFLAGS_VM), EFLAGS_IF);
    asm volatile("pushfl; orl $0x200, (%%esp); pushl %%cs; pushl $1f; iretl; 1: pushfl; cli; popl %0; movl %%cs, %1"
                 : "=r"(flags), "=r"(current));
    check("IRET sets IF", flags & EFLAGS_IF, EFLAGS_IF);
    check("IRET: CS", current, KERNEL_CS);
    asm volatile("sti; pushl $2; pushl %%cs; pushl $1f; iretl; 1: pushfl; popl %0" : "=r"(flags));
    check("IRET clears IF", flags & EFLAGS_IF, 0);
    asm volatile("pushl $0x3002; pushl %%cs; pushl $1f; iretl; 1: pushfl; popl %0; pushl $2; popfl" : "=r"(flags));
    check("IRET sets IOPL", flags & EFLAGS_IOPL, EFLAGS_IOPL);
}

void guest_main(void) {
    table_registers();
    machine_status();
    flags();
    segment_registers();
    transfers();
}
