#pragma once
#include "guest.h"

void arithmetic(void);
void shifts(void);
void multiplication(void);
void decimal(void);
void bits(void);
void conditions(void);
void strings(void);
void moves(void);

/* A result and EFLAGS' status bits, worked out one bit at a time: nothing like the way a processor or emulator does it. */
struct outcome { u32 value, flags; };

/* SF, ZF and PF of `value`, `width` bits wide. */
u32 sign_zero_parity(u32 value, u32 width);

enum { EDGES = 19 };
/* Values around the signs, carries and nibbles of all widths. */
extern const u32 edges[EDGES];

static inline u32 mask_of(u32 width) { return width == 32 ? 0xFFFFFFFF : (1u << width) - 1; }
