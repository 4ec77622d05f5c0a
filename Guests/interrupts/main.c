/* Interrupts from devices: 8259A, 8254, RTC and UART, and how the processor takes them (SDM 3A 6.8, data sheets). */
#include "interrupts.h"

const char guest_name[] = "interrupts";
struct seen seen[16];

void reset_controllers(bool auto_eoi) {
    outb(MASTER, 0x11), outb(MASTER + DATA, IRQ_BASE), outb(MASTER + DATA, 1 << CASCADE);
    outb(MASTER + DATA, auto_eoi ? 3 : 1);
    outb(SLAVE, 0x11), outb(SLAVE + DATA, IRQ_BASE + 8), outb(SLAVE + DATA, CASCADE), outb(SLAVE + DATA, 1);
    set_mask(0xFFFF);
}

void set_mask(u16 mask) {
    outb(MASTER + DATA, mask);
    outb(SLAVE + DATA, mask >> 8);
}

u8 pic_register(u16 pic, u8 which) {
    outb(pic, which);
    return inb(pic);
}

void end_of_interrupt(u32 irq) {
    if (irq >= 8) outb(SLAVE, EOI);
    outb(MASTER, EOI);
}

void forget(void) { memset(seen, 0, sizeof seen); }

void note(struct trap_frame *f) {
    u32 irq = f->vector - IRQ_BASE;
    seen[irq].count++;
    seen[irq].eip = f->eip;
    seen[irq].eflags = f->eflags;
    seen[irq].inside = read_eflags();
    seen[irq].isr = pic_register(irq < 8 ? MASTER : SLAVE, READ_ISR);
    if (irq == CLOCK) {
        outb(0x70, 0x0C); /* register C: reading it lowers the line */
        inb(0x71);
    }
    end_of_interrupt(irq);
}

void handle(u32 irq, trap_handler *handler) { trap_handlers[IRQ_BASE + irq] = handler; }

void guest_main(void) {
    reset_controllers(false);
    for (u32 irq = 0; irq < 16; irq++) handle(irq, note);
    controller();
    timer();
    priorities();
    clock();
    serial();
    shadows();
    long_instructions();
    set_mask(0xFFFF);
}
