#include "guest.h"

u64 gdt[GDT_ENTRIES];
u64 idt[256];
struct tss main_tss;
struct table_register gdt_descriptor, idt_descriptor;
extern const u8 vector_stubs[256][16];
extern u8 trap_stack_top[];

u64 descriptor(u32 base, u32 limit, u32 access, u32 flags) {
    u32 low = (base << 16) | (limit & 0xFFFF);
    u32 high = (base & 0xFF000000) | (flags << 20) | (limit & 0xF0000) | (access << 8) | (base >> 16 & 0xFF);
    return (u64)high << 32 | low;
}

u64 gate(u32 access, u16 selector, u32 offset, u32 parameters) {
    u32 low = (u32)selector << 16 | (offset & 0xFFFF);
    u32 high = (offset & 0xFFFF0000) | (access << 8) | parameters;
    return (u64)high << 32 | low;
}

void set_idt(u32 vector, u64 value) {
    idt[vector] = value;
    barrier();
}

u64 default_gate(u32 vector, u32 dpl) {
    return gate(INTERRUPT_GATE32 | DPL(dpl), KERNEL_CS, (u32)vector_stubs[vector], 0);
}

void descriptors_init(void) {
    gdt[KERNEL_CS >> 3] = descriptor(0, 0xFFFFF, CODE_XR | ACCESSED, FLAT);
    gdt[KERNEL_DS >> 3] = descriptor(0, 0xFFFFF, DATA_RW | ACCESSED, FLAT);
    gdt[USER_CS >> 3] = descriptor(0, 0xFFFFF, CODE_XR | ACCESSED | DPL(3), FLAT);
    gdt[USER_DS >> 3] = descriptor(0, 0xFFFFF, DATA_RW | ACCESSED | DPL(3), FLAT);
    gdt[TSS_SELECTOR >> 3] = descriptor((u32)&main_tss, sizeof main_tss - 1, TSS32, 0);
    for (u32 vector = 0; vector < 256; vector++) idt[vector] = default_gate(vector, 0);
    idt[REACHED] = default_gate(REACHED, 3);
    main_tss.ss0 = KERNEL_DS;
    main_tss.esp0 = (u32)trap_stack_top;
    main_tss.io_map = sizeof main_tss; /* beyond the limit: no I/O bitmap */
    gdt_descriptor = (struct table_register){sizeof gdt - 1, (u32)gdt};
    idt_descriptor = (struct table_register){sizeof idt - 1, (u32)idt};
}
