/* Exceptions of ring 0 whose handler skips the instruction. */
#include "nano.h"
#include "paging.h"

/* Both faulting instructions below are two bytes long. */
SNIPPET(divide_handler, "addl $2, (%esp); incl nano_events; iretl");
SNIPPET(page_fault_handler, "addl $4, %esp; addl $2, (%esp); incl nano_events; iretl");

static u8 absent[PAGE] __attribute__((aligned(PAGE)));

static void prepare_divide(void) { set_handler(DE, divide_handler, 0); }
static void restore_divide(void) { reset_handler(DE); }

static u32 run_divide(u32 operations) {
    u32 before = nano_events;
    for (u32 left = operations; left; left -= UNROLLED)
        asm volatile(TEN("divl %%ecx") : : "c"(0), "a"(1), "d"(0) : "memory", "cc");
    return events_of(before);
}

static void prepare_page_fault(void) {
    paging_on();
    set_pte((u32)absent, 0);
    set_handler(PF, page_fault_handler, 0);
}

static u32 run_page_fault(u32 operations) {
    u32 before = nano_events;
    for (u32 left = operations; left; left -= UNROLLED)
        asm volatile(TEN("movl (%%ebx), %%eax") : : "b"(absent) : "eax", "memory", "cc");
    return events_of(before);
}

static void restore_page_fault(void) {
    reset_handler(PF);
    reset_pte((u32)absent);
    paging_off();
}

const struct nano divide_nano = {"divide-zero", 1000, prepare_divide, run_divide, restore_divide, 0, 0};
const struct nano page_fault_nano = {"page-fault", 1000, prepare_page_fault, run_page_fault, restore_page_fault, 0, 0};
