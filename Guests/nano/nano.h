/* What an operating system does many thousand times a second, one operation at a time and nothing else, after the
 * nanobenchmarks of Adams and Agesen ("A Comparison of Software and Hardware Techniques for x86 Virtualization", 2006). */
#pragma once
#include "guest.h"

struct nano {
    const char *name;
    u32 operations;           /* in a unit of work */
    void (*prepare)(void);    /* not measured; may be 0 */
    /* Does so many operations and returns how many had their effect. */
    u32 (*run)(u32 operations);
    void (*restore)(void);    /* may be 0 */
    const char *missing;      /* what CPUID has to offer, if that is not sure to be there, */
    u32 feature;              /* and its bit */
};

extern const struct nano syscall_nano, sysenter_nano;                          /* rings.c */
extern const struct nano port_nano, control_nano, call_nano, timer_nano;       /* kernel.c */
extern const struct nano divide_nano, page_fault_nano;                         /* faults.c */
extern const struct nano pte_write_nano, pte_remap_nano, context_nano;         /* address_spaces.c */

/* What handlers count; a volatile global, so that assembly can. */
extern volatile u32 nano_events;

static inline u32 events_of(u32 before) { return nano_events - before; }

/* An interrupt gate of ring 0 whose handler is a piece of assembly. */
static inline void set_handler(u32 vector, const u8 *handler, u32 dpl) {
    set_idt(vector, gate(INTERRUPT_GATE32 | DPL(dpl), KERNEL_CS, (u32)handler, 0));
}
static inline void reset_handler(u32 vector) { set_idt(vector, default_gate(vector, 0)); }

/* Loops are unrolled where an operation may cost no more than the loop around it. */
enum { UNROLLED = 10 };
#define TEN(code) ".rept 10\n\t" code "\n\t.endr\n\t"
