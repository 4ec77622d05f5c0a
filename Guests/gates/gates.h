#pragma once
#include "guest.h"

void calls(void);
void call_faults(void);
void returns(void);
void interrupts(void);
void ports(void);
void flags(void);
void fast_calls(void);

/* Flat segments of every ring, and a stack for each inner one; entry n is for ring n. */
extern const u16 code_of[4], data_of[4];
extern u32 *const stack_of[3];

void enter_from(u32 ring);

/* Reports where it is, whatever the ring. */
extern const u8 report[];
