/* Descriptor-table and task registers. */
#include "audit.h"

static void load_ldt(void) { asm volatile("lldt %w0" : : "r"(LDT_SELECTOR)); }

/* Eight bytes shorter, which nothing else here notices. */
static void shorter_gdt(void) { *(struct table_register *)DATA_ADDRESS = (struct table_register){sizeof gdt - 9, (u32)gdt}; }
static void shorter_idt(void) { *(struct table_register *)DATA_ADDRESS = (struct table_register){sizeof idt - 9, (u32)idt}; }

void tables(void) {
    ROW("SGDT", 0, "sgdt (%%esi); movl 2(%%esi), %%eax; movzwl (%%esi), %%edx", ANSWERS((u32)gdt, sizeof gdt - 1));
    ROW("SIDT", 0, "sidt (%%esi); movl 2(%%esi), %%eax; movzwl (%%esi), %%edx", ANSWERS((u32)idt, sizeof idt - 1));
    ROW("SLDT", load_ldt, "sldt %%eax", ANSWER(LDT_SELECTOR));
    ROW("STR", 0, "str %%eax", ANSWER(TSS_SELECTOR));
    ROW("LGDT", shorter_gdt, "lgdt (%%esi); sgdt 8(%%esi); movl 10(%%esi), %%eax; movzwl 8(%%esi), %%edx",
        ANSWERS((u32)gdt, sizeof gdt - 9));
    ROW("LIDT", shorter_idt, "lidt (%%esi); sidt 8(%%esi); movl 10(%%esi), %%eax; movzwl 8(%%esi), %%edx",
        ANSWERS((u32)idt, sizeof idt - 9));
    ROW("LLDT", 0, "movl $0x30, %%eax; lldt %%ax; sldt %%eax", ANSWER(LDT_SELECTOR));
    ROW("LTR", 0, "movl $0x38, %%eax; ltr %%ax; str %%eax", ANSWER(SECOND_TSS));
}
_Static_assert(LDT_SELECTOR == 0x30 && SECOND_TSS == 0x38, "as in LLDT and LTR");
