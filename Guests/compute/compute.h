/* A workload: fixed input, a checksum as output. Uses nothing but types.h, so that it also compiles for the host. */
#pragma once
#include "types.h"

extern const char guest_name[];
/* The checksum on which QEMU and the host agree. */
extern const u32 expected_checksum;
u32 compute(void);

static inline u32 random_next(u32 *state) {
    u32 x = *state;
    x ^= x << 13, x ^= x >> 17, x ^= x << 5; /* Marsaglia's xorshift */
    return *state = x;
}
