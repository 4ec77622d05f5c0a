/* Selectors and vectors shared by C and assembly. */
#pragma once

/* The order of the first four is the one SYSENTER and SYSEXIT require (SDM 2B "SYSENTER"). */
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_CS 0x1B
#define USER_DS 0x23
#define TSS_SELECTOR 0x28
/* Slots from here on are the guest's to fill: SPARE(0), SPARE(1), ... */
#define FIRST_SPARE 0x30
#define SPARE(n) (FIRST_SPARE + 8 * (n))
#define GDT_ENTRIES 64

/* `int $REACHED` ends a probe early, from any ring, and is recorded like any other trap. */
#define REACHED 0x30

#define STACK_BYTES 16384
