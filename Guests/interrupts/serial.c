/* The UART's interrupt, and two requests at once: priority and nesting. The console prints by polling, so that interrupts are
 * enabled at the UART only within a test. */
#include "interrupts.h"

enum { COM1 = 0x3F8, IER = COM1 + 1, IIR = COM1 + 2, MCR = COM1 + 4, LSR = COM1 + 5, SCRATCH = COM1 + 7 };
enum { IER_TRANSMIT = 2, LSR_READY = 1, LSR_EMPTY = 0x60, MCR_LOOP = 0x10 };

static void drain(void) {
    while ((inb(LSR) & LSR_EMPTY) != LSR_EMPTY) {}
}

/* With an empty transmitter, enabling its interrupt raises it at once (16550 data sheet, "interrupt enable register"). */
static void request(void) {
    drain();
    outb(IER, 0);
    outb(IER, IER_TRANSMIT);
    while (!(pic_register(MASTER, READ_IRR) & 1 << SERIAL)) {}
}

static u32 cause;
static char order[16];
static u32 order_length;

static void serial_handler(struct trap_frame *f) {
    cause = inb(IIR); /* reading it withdraws the request */
    outb(IER, 0);
    order[order_length++] = 's';
    asm volatile("sti; nop; nop; cli" : : : "memory"); /* higher priorities may nest here */
    order[order_length++] = 'S';
    end_of_interrupt(SERIAL);
}

static void timer_handler(struct trap_frame *f) {
    order[order_length++] = 't';
    asm volatile("sti; nop; nop; cli" : : : "memory"); /* lower ones must not */
    order[order_length++] = 'T';
    end_of_interrupt(TIMER);
}

/* Raises the timer's request while the serial one is in service. */
static void serial_then_timer(struct trap_frame *f) {
    make_timer_pending();
    serial_handler(f);
}

static void run(const char *name, const char *expected) {
    memset(order, 0, sizeof order);
    order_length = 0;
    asm volatile("sti; nop; nop; nop; cli" : : : "memory");
    char got[16];
    memcpy(got, order, sizeof got);
    check_string(name, got, expected);
}

void serial(void) {
    outb(SCRATCH, 0xA5);
    check("UART scratch register", inb(SCRATCH), 0xA5);
    drain();
    outb(MCR, MCR_LOOP | 0x0B);
    outb(COM1, 0x5A);
    while (!(inb(LSR) & LSR_READY)) {}
    u8 byte = inb(COM1), more = inb(LSR) & LSR_READY;
    outb(MCR, 0x0B); /* before anything is printed, which would come back as well */
    check("UART loopback returns the byte", byte, 0x5A);
    check("UART loopback: nothing more", more, 0);

    handle(SERIAL, serial_handler);
    set_mask((u16)~(1 << SERIAL));
    request();
    run("the UART interrupts", "sS");
    check("UART: cause is the empty transmitter", cause & 0x0F, 2);
    check("UART: reading the cause withdrew the request", pic_register(MASTER, READ_IRR) & 1 << SERIAL, 0);
    handle(SERIAL, note);
}

void priorities(void) {
    handle(SERIAL, serial_handler);
    handle(TIMER, timer_handler);
    set_mask((u16)~(1 << SERIAL | 1 << TIMER));
    quiet_timer();
    request();
    make_timer_pending();
    run("both pending: the timer comes first, the UART does not nest", "tTsS");
    quiet_timer();
    handle(SERIAL, serial_then_timer);
    request();
    run("the timer nests in the UART's handler", "stTS");
    quiet_timer();
    outb(MASTER, 0xC0 | 3); /* IRQ 3 lowest: IRQ 4 is highest now */
    handle(SERIAL, serial_handler);
    request();
    make_timer_pending();
    run("with rotated priorities the UART comes first", "sStT");
    outb(MASTER, 0xC0 | 7);
    quiet_timer();
    handle(SERIAL, note);
    handle(TIMER, note);
    set_mask(0xFFFF);
}
