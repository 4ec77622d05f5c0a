#pragma once
#include "guest.h"

void switches(void);
void returns(void);
void contexts(void);
void narrow_tasks(void);
void refusals(void);
void faults(void);

enum { MAIN = TSS_SELECTOR, TASK = SPARE(0), OTHER = SPARE(1), GATE = SPARE(2) };
extern struct tss task, other;
extern u32 task_stack[128], other_stack[128];

/* A flat ring-0 task that will run `code`. */
struct tss flat_task(const u8 *code, u32 *stack_top);
/* Fresh descriptors of the three tasks, none busy but this one. */
void reset_tasks(void);
/* The access byte of a descriptor: 0x89 or 0x8B. */
u32 access_of(u16 selector);
bool busy(u16 selector);

/* Far JMP or CALL to a task or task gate; says in `trap` whether something stopped it. */
#define switch_by(instruction, to)                                    \
    do {                                                              \
        static struct far_pointer pointer;                            \
        pointer.selector = to;                                        \
        probe(instruction " *%0", : "m"(pointer));                    \
    } while (0)

/* Steps every general register, then goes back by JMP; again when it is entered again. */
extern const u8 stepper[];
/* Goes back by IRET; again when it is entered again. */
extern const u8 returner[];
