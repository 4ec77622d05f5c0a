/* The 8259A's own registers and modes: mask, IRR and ISR, polling, automatic end of interrupt. */
#include "interrupts.h"

enum { PIT = 0x40, PIT_CONTROL = 0x43 };

void quiet_timer(void) {
    outb(PIT_CONTROL, 0x30); /* channel 0, low then high byte, mode 0: output low until the count is reached */
    outb(PIT, 0xFF), outb(PIT, 0xFF);
}

void make_timer_pending(void) {
    outb(PIT_CONTROL, 0x30);
    outb(PIT, 10), outb(PIT, 0);
    while (!(pic_register(MASTER, READ_IRR) & 1)) {}
}

/* Enables interrupts for a few instructions. */
static void window(void) { asm volatile("sti; nop; nop; nop; nop; cli" : : : "memory"); }

void controller(void) {
    set_mask(0xA55A);
    check("mask of the master reads back", inb(MASTER + DATA), 0x5A);
    check("mask of the slave reads back", inb(SLAVE + DATA), 0xA5);
    set_mask(0xFFFF);

    quiet_timer();
    forget();
    make_timer_pending();
    check("a masked request shows in IRR", pic_register(MASTER, READ_IRR) & 1, 1);
    window();
    check("a masked request is not delivered", seen[TIMER].count, 0);
    set_mask((u16)~(1 << TIMER));
    window();
    check("it is delivered when unmasked", seen[TIMER].count, 1);
    check("ISR shows the request in service", seen[TIMER].isr, 1);
    check("IF is set in the pushed EFLAGS", seen[TIMER].eflags & EFLAGS_IF, EFLAGS_IF);
    check("IF is clear in the handler", seen[TIMER].inside & EFLAGS_IF, 0);
    check("ISR is clear after the end of interrupt", pic_register(MASTER, READ_ISR), 0);
    check("IRR is clear after delivery", pic_register(MASTER, READ_IRR) & 1, 0);

    quiet_timer();
    make_timer_pending();
    outb(MASTER, POLL);
    check("polling names the request", inb(MASTER) & 0x87, 0x80 | TIMER);
    check("polling puts it in service", pic_register(MASTER, READ_ISR), 1);
    outb(MASTER, 0x60 | TIMER);
    check("specific end of interrupt", pic_register(MASTER, READ_ISR), 0);
    outb(MASTER, POLL);
    check("polling with nothing to report", inb(MASTER) & 0x80, 0);
    forget();
    window();
    check("a polled request is not delivered as well", seen[TIMER].count, 0);

    reset_controllers(true);
    set_mask((u16)~(1 << TIMER));
    quiet_timer();
    forget();
    make_timer_pending();
    window();
    check("automatic end of interrupt: delivered", seen[TIMER].count, 1);
    check("automatic end of interrupt: nothing in service in the handler", seen[TIMER].isr, 0);
    reset_controllers(false);
    quiet_timer();
}
