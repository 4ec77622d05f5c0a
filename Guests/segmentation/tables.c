/* GDTR, IDTR, LDTR and TR: loading, storing and what they may hold (SDM 3A 2.4, 3.5). */
#include "segmentation.h"

static u64 ldt[4];

static void local_table(void) {
    u32 value = 0;
    static const u32 cell = 0xFEEDF00D;
    ldt[1] = descriptor((u32)&cell, 3, DATA_RO, BIG);
    set_gdt(SPARE(0), descriptor((u32)ldt, sizeof ldt - 1, LDT, 0));
    probe("lldt %w0", : "r"(SPARE(0)));
    check_no_trap("LLDT");
    asm volatile("sldt %0" : "=r"(value));
    check("SLDT", value & 0xFFFF, SPARE(0));
    probe("movl %1, %%fs; movl %%fs:0, %0", "+r"(value) : "r"(0x0C));
    check_no_trap("segment from the LDT");
    check("segment from the LDT: its base", value, cell);
    check("segment from the LDT: accessed bit", (u32)(ldt[1] >> 40) & 0xFF, DATA_RO | ACCESSED);
    probe("movl %0, %%fs", : "r"(sizeof ldt | 4));
    check_fault("#GP beyond the LDT", GP, sizeof ldt | 4);
    probe("lldt %w0", : "r"(KERNEL_DS));
    check_fault("#GP LLDT of a data segment", GP, KERNEL_DS);
    probe("lldt %w0", : "r"(TSS_SELECTOR));
    check_fault("#GP LLDT of a TSS", GP, TSS_SELECTOR);
    probe("lldt %w0", : "r"(0x0C));
    check_fault("#GP LLDT from the LDT", GP, 0x0C);
    set_gdt(SPARE(1), descriptor((u32)ldt, sizeof ldt - 1, LDT & ~PRESENT, 0));
    probe("lldt %w0", : "r"(SPARE(1)));
    check_fault("#NP LLDT", NP, SPARE(1));
    asm volatile("sldt %0" : "=r"(value));
    check("a failed LLDT keeps the old table", value & 0xFFFF, SPARE(0));
    load_segment(fs, KERNEL_DS);
    probe("lldt %w0", : "r"(0));
    check_no_trap("LLDT of null");
    probe("movl %0, %%fs", : "r"(0x0C));
    check_fault("#GP segment from a null LDT", GP, 0x0C);
}

static void task_register(void) {
    u32 value;
    asm volatile("str %0" : "=r"(value));
    check("STR", value & 0xFFFF, TSS_SELECTOR);
    check("LTR set the busy bit", (u32)(gdt[TSS_SELECTOR >> 3] >> 40) & 0xFF, TSS32_BUSY);
    probe("ltr %w0", : "r"(TSS_SELECTOR));
    check_fault("#GP LTR of a busy TSS", GP, TSS_SELECTOR);
    probe("ltr %w0", : "r"(0));
    check_fault("#GP LTR of null", GP, 0);
    set_gdt(TSS_SELECTOR, descriptor((u32)&main_tss, sizeof main_tss - 1, TSS32, 0));
    asm volatile("ltr %w0" : : "r"(TSS_SELECTOR)); /* in case null was taken after all */
    probe("ltr %w0", : "r"(KERNEL_CS));
    check_fault("#GP LTR of a code segment", GP, KERNEL_CS);
    set_gdt(SPARE(0), descriptor((u32)&main_tss, sizeof main_tss - 1, TSS32 & ~PRESENT, 0));
    probe("ltr %w0", : "r"(SPARE(0)));
    check_fault("#NP LTR", NP, SPARE(0));
    check("a failed LTR does not set the busy bit", (u32)(gdt[SPARE(0) >> 3] >> 40) & 0xFF, TSS32 & ~PRESENT);
}

static void table_registers(void) {
    struct table_register stored = {0}, odd = {0x1FF, 0x12345678};
    asm volatile("sgdt %0" : "=m"(stored));
    check("SGDT: limit", stored.limit, sizeof gdt - 1);
    check("SGDT: base", stored.base, (u32)gdt);
    asm volatile("sidt %0" : "=m"(stored));
    check("SIDT: limit", stored.limit, sizeof idt - 1);
    check("SIDT: base", stored.base, (u32)idt);
    asm volatile("lidt %1; sidt %0; lidt %2" : "=m"(stored) : "m"(odd), "m"(idt_descriptor));
    check("LIDT then SIDT: base", stored.base, 0x12345678);
    check("LIDT then SIDT: limit", stored.limit, 0x1FF);
    struct table_register dirty = {gdt_descriptor.limit, gdt_descriptor.base | 0xAA000000};
    asm volatile(".byte 0x66; lgdt %1; sgdt %0; lgdt %2" : "=m"(stored) : "m"(dirty), "m"(gdt_descriptor));
    check("LGDT with 16-bit operands takes 24 bits of base", stored.base, (u32)gdt);
    /* Entries are looked up against the limit of the moment. */
    struct table_register shorter = {SPARE(0) + 6, (u32)gdt};
    set_gdt(SPARE(0), descriptor(0, 0xFFFFF, DATA_RW, FLAT));
    asm volatile("lgdt %0" : : "m"(shorter));
    probe("movl %0, %%fs", : "r"(SPARE(0)));
    check_fault("#GP the last byte of a descriptor is beyond the GDT's limit", GP, SPARE(0));
    shorter.limit++;
    asm volatile("lgdt %0" : : "m"(shorter));
    probe("movl %0, %%fs", : "r"(SPARE(0)));
    check_no_trap("a descriptor that just fits");
    asm volatile("lgdt %0" : : "m"(gdt_descriptor));
    load_segment(fs, KERNEL_DS);
}

void tables(void) {
    local_table();
    task_register();
    table_registers();
}
