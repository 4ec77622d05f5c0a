/* What ring 0 does without leaving it: port input, CR0, calls, and the timer's interrupt. */
#include "nano.h"

enum { POST = 0x80 };

/* A port that nothing depends on: what is measured is the way to the device, not the device. */
static u32 run_port(u32 operations) {
    for (u32 left = operations; left; left -= UNROLLED) asm volatile(TEN("inb %0, %%al") : : "N"(POST) : "eax");
    return operations;
}

/* CR0.TS, the bit that changes most often; an even number of times. */
static u32 run_control(u32 operations) {
    u32 cr0 = read_cr0(), value = cr0;
    for (u32 left = operations; left; left -= UNROLLED)
        asm volatile(TEN("xorl %1, %0; movl %0, %%cr0") : "+r"(value) : "i"(CR0_TS) : "memory", "cc");
    return read_cr0() == cr0 ? operations : 0;
}

SNIPPET(subroutine, "incl %eax; ret");

static u32 run_call(u32 operations) {
    u32 calls = 0;
    for (u32 left = operations; left; left -= UNROLLED) asm volatile(TEN("call subroutine") : "+a"(calls) : : "cc");
    return calls;
}

enum { MASTER = 0x20, SLAVE = 0xA0, MASK = 1, EOI = 0x20, PIT = 0x40, PIT_CONTROL = 0x43, TIMER_VECTOR = 0x20, TICKS = 60 };

SNIPPET(timer_handler, "pushl %eax; incl nano_events; movb $0x20, %al; outb %al, $0x20; popl %eax; iretl");

static void mask_all(void) { outb(MASTER + MASK, 0xFF), outb(SLAVE + MASK, 0xFF); }

/* 8259A data sheet, "initialization command words". */
static void prepare_timer(void) {
    outb(MASTER, 0x11), outb(MASTER + MASK, TIMER_VECTOR), outb(MASTER + MASK, 4), outb(MASTER + MASK, 1);
    outb(SLAVE, 0x11), outb(SLAVE + MASK, TIMER_VECTOR + 8), outb(SLAVE + MASK, 2), outb(SLAVE + MASK, 1);
    mask_all();
    outb(MASTER + MASK, 0xFE);
    set_handler(TIMER_VECTOR, timer_handler, 0);
}

/* One-shot (8254 mode 0) and HLT: the waiting costs no processor time, so what remains is the interrupt's. */
static u32 run_timer(u32 operations) {
    u32 before = nano_events;
    while (events_of(before) < operations) {
        outb(PIT_CONTROL, 0x30), outb(PIT, TICKS), outb(PIT, 0);
        asm volatile("sti; hlt; cli" : : : "memory");
    }
    return events_of(before);
}

static void restore_timer(void) {
    mask_all();
    reset_handler(TIMER_VECTOR);
}

const struct nano port_nano = {"in", 1000, 0, run_port, 0, 0, 0};
const struct nano control_nano = {"cr-write", 1000, 0, run_control, 0, 0, 0};
const struct nano call_nano = {"call-ret", 10000, 0, run_call, 0, 0, 0};
const struct nano timer_nano = {"timer", 10, prepare_timer, run_timer, restore_timer, 0, 0};
