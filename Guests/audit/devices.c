/* Ports, and waiting for a device. The device is the interrupt controller, whose mask reads back. */
#include "audit.h"

enum { PIC = 0x20, PIC_DATA = 0x21, PIT = 0x40 };

static void tick(struct trap_frame *frame) {
    *(u32 *)DATA_ADDRESS = 1;
    outb(PIC, 0x20); /* end of interrupt */
}

/* The timer, a thousand times a second, on vector 0x20. */
static void start_timer(void) {
    trap_handlers[0x20] = tick;
    outb(PIC, 0x11);
    outb(PIC_DATA, 0x20);
    outb(PIC_DATA, 4);
    outb(PIC_DATA, 1);
    outb(PIT + 3, 0x34);
    outb(PIT, 1193 & 0xFF);
    outb(PIT, 1193 >> 8);
    outb(PIC_DATA, 0xFE);
}

static void set_mask(void) { outb(PIC_DATA, 0xA5); }

void devices(void) {
    ROW("HLT", start_timer, "pushl $0x202; popfl; hlt; pushl $2; popfl; movl (%%esi), %%eax", ANSWER(1));
    ROW("IN", set_mask, "inb $0x21, %%al", ANSWER(0xA5));
    ROW("OUT", 0, "movb $0x5A, %%al; outb %%al, $0x21; xorl %%eax, %%eax; inb $0x21, %%al", ANSWER(0x5A));
    ROW("INS", set_mask, "movb $0x21, %%dl; movl %%esi, %%edi; insb; movzbl (%%esi), %%eax", ANSWER(0xA5));
    ROW("OUTS", 0, "movb $0x5A, (%%esi); movb $0x21, %%dl; outsb; inb %%dx, %%al", ANSWER(0x5A));
}
