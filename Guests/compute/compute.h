/* A workload: fixed input, any number of units of work, a checksum as output. Uses nothing but types.h, so that the same
 * object file also becomes a program of the host.
 *
 * A unit is some 200,000 to 1,000,000 instructions, and all units of a workload cost the same: slow machines do few of
 * them, fast ones many, and what is compared is the time of one. */
#pragma once
#include "types.h"

extern const char guest_name[];
/* The checksum after SELF_CHECK_UNITS, on which QEMU and the host agree. */
extern const u32 expected_checksum;
enum { SELF_CHECK_UNITS = 48 };

/* Makes the input; not part of what is measured. */
void prepare(void);
u32 compute(u32 units);

/* Between units that all do the same: powers of one multiplier alone would run into zeros. */
static inline u32 stir(u32 checksum) { return checksum ^ checksum >> 15; }

static inline u32 random_next(u32 *state) {
    u32 x = *state;
    x ^= x << 13, x ^= x >> 17, x ^= x << 5; /* Marsaglia's xorshift */
    return *state = x;
}
