/* Instructions that depend on IOPL, on the I/O map, or are privileged or unknown in virtual-8086 mode (SDM 3A 20.2.6 to 20.2.8). */
#include "v86.h"

V86(c_cli, "cli");
V86(c_sti, "sti");
V86(c_pushf, "pushfw; popw %ax");
V86(c_pushfd, "pushfl; popl %eax");
V86(c_popf, "pushw $0x3AD7; popfw; pushl %esp");
V86(c_popfd, "pushl $0x00243AD7; popfl");
V86(c_iret, "pushw $0x0ED7; pushw %cs; pushw $1f - c_iret; iretw; ud2; 1:");
V86(c_in, "inb $0x80, %al");
V86(c_out, "outb %al, $0x80");
V86(c_outw, "outw %ax, $0x80");
V86(c_lgdt, "lgdtw 0");
V86(c_lmsw, "lmsw %ax");
V86(c_clts, "clts");
V86(c_mov_cr, "movl %cr0, %eax");
V86(c_mov_dr, "movl %dr7, %eax");
V86(c_invd, "invd");
V86(c_sldt, "sldt %ax");
V86(c_str, "str %ax");
V86(c_lldt, "lldt %ax");
V86(c_lar, "larw %ax, %bx");
V86(c_lsl, "lslw %ax, %bx");
V86(c_verr, "verr %ax");
V86(c_arpl, ".byte 0x63, 0xC8");
V86(c_smsw, "smsw %ax");
V86(c_sgdt, "sgdtw 0x100");
V86(c_sidt, "sidtw 0x110");

struct snippet { const char *name; const u8 *begin, *end; };
#define S(mnemonic, name) {mnemonic, name, name##_end}

static void by_iopl(void) {
    static const struct snippet table[] = {
        S("CLI", c_cli), S("STI", c_sti), S("PUSHF", c_pushf), S("PUSHFD", c_pushfd),
    };
    char name[64];
    for (u32 i = 0; i < length_of(table); i++)
        for (u32 iopl = 0; iopl < 3; iopl++) {
            format(name, "#GP %s, IOPL %u", table[i].name, iopl);
            run_code(table[i].begin, table[i].end, IOPL(iopl));
            check_at(name, GP, 0, 0);
        }
    run(c_popf, IOPL(0));
    check_at("#GP POPF, IOPL 0", GP, 0, 3);
    run(c_popfd, IOPL(2));
    check_at("#GP POPFD, IOPL 2", GP, 0, 6);
    run(c_iret, IOPL(0));
    check_at("#GP IRET, IOPL 0", GP, 0, 6);

    run(c_cli, IOPL(3) | EFLAGS_IF);
    check("CLI, IOPL 3", trap.eflags & EFLAGS_IF, 0);
    run(c_sti, IOPL(3));
    check("STI, IOPL 3", trap.eflags & EFLAGS_IF, EFLAGS_IF);
    run(c_pushf, IOPL(3) | EFLAGS_IF | EFLAGS_CF);
    check("PUSHF, IOPL 3", trap.eax & 0xFFFF, IOPL(3) | EFLAGS_IF | EFLAGS_CF | 2);
    run(c_pushfd, IOPL(3) | EFLAGS_AC);
    check("PUSHFD, IOPL 3: VM and RF read as zero", trap.eax, IOPL(3) | EFLAGS_AC | 2);
    run(c_popf, IOPL(3));
    check("POPF, IOPL 3: IF and status change, IOPL does not", trap.eflags & 0xFFFF, IOPL(3) | EFLAGS_OF | EFLAGS_IF | 0xD7);
    check("POPF, IOPL 3: still in virtual-8086 mode", trap.eflags & EFLAGS_VM, EFLAGS_VM);
    run(c_popfd, IOPL(3));
    check("POPFD, IOPL 3: AC changes, VM does not", trap.eflags & (EFLAGS_AC | EFLAGS_VM), EFLAGS_AC | EFLAGS_VM);
    run(c_iret, IOPL(3));
    check_at("IRET, IOPL 3, within the task", GP, 0, (u32)(c_iret_end - c_iret - 1));
    check("IRET, IOPL 3: flags", trap.eflags & 0xFFFF, IOPL(3) | 0x0ED7);
    check("IRET, IOPL 3: still in virtual-8086 mode", trap.eflags & EFLAGS_VM, EFLAGS_VM);
}

/* IOPL plays no part in I/O here: only the map does. */
static void ports(void) {
    static struct { struct tss tss; u8 map[33]; } with_map;
    with_map.tss = main_tss;
    with_map.tss.io_map = sizeof with_map.tss;
    memset(with_map.map, 0xFF, sizeof with_map.map);
    set_gdt(SPARE(1), descriptor((u32)&with_map, sizeof with_map.tss + sizeof with_map.map - 1, TSS32, 0));
    asm volatile("ltr %w0" : : "r"(SPARE(1)));
    run(c_in, IOPL(3));
    check_at("#GP IN, bit set, IOPL 3", GP, 0, 0);
    run(c_out, IOPL(3));
    check_at("#GP OUT, bit set, IOPL 3", GP, 0, 0);
    with_map.map[0x10] = 0xFE;
    run(c_in, IOPL(0));
    check_at("IN, bit clear, IOPL 0", GP, 0, 2);
    run(c_out, IOPL(0));
    check_at("OUT, bit clear, IOPL 0", GP, 0, 2);
    run(c_outw, IOPL(3));
    check_at("#GP OUT of a word, second bit set", GP, 0, 0);
    set_gdt(TSS_SELECTOR, descriptor((u32)&main_tss, sizeof main_tss - 1, TSS32, 0));
    asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
    run(c_out, IOPL(3));
    check_at("#GP OUT without a map, IOPL 3", GP, 0, 0);
}

static void others(void) {
    static const struct snippet privileged[] = {
        S("LGDT", c_lgdt), S("LMSW", c_lmsw), S("CLTS", c_clts), S("MOV from CR0", c_mov_cr), S("MOV from DR7", c_mov_dr),
        S("INVD", c_invd),
    };
    static const struct snippet unknown[] = {
        S("SLDT", c_sldt), S("STR", c_str), S("LLDT", c_lldt), S("LAR", c_lar), S("LSL", c_lsl), S("VERR", c_verr),
        S("ARPL", c_arpl),
    };
    char name[64];
    for (u32 i = 0; i < length_of(privileged); i++) {
        format(name, "#GP %s, IOPL 3", privileged[i].name);
        run_code(privileged[i].begin, privileged[i].end, IOPL(3));
        check_at(name, GP, 0, 0);
    }
    for (u32 i = 0; i < length_of(unknown); i++) {
        format(name, "#UD %s", unknown[i].name);
        run_code(unknown[i].begin, unknown[i].end, IOPL(3));
        check_at(name, UD, 0, 0);
    }
    /* The three that show the machine as it is. */
    run(c_smsw, 0);
    check("SMSW shows PE set: the task can tell", trap.eax & CR0_PE, CR0_PE);
    run(c_sgdt, 0);
    check("SGDT shows the monitor's GDT", *(volatile u16 *)LINEAR(DATA, 0x100), sizeof gdt - 1);
    run(c_sidt, 0);
    check("SIDT shows the monitor's IDT", *(volatile u16 *)LINEAR(DATA, 0x110), sizeof idt - 1);
}

void sensitive(void) {
    by_iopl();
    ports();
    others();
}
