/* Matrix multiplication in doubles. Every value is an integer below 2^53, so that every order of additions and every
 * floating-point unit gives the same bits. */
#pragma once
#include "compute.h"

enum { SIZE = 48 };
static double a[SIZE][SIZE] __attribute__((aligned(16)));
static double b[SIZE][SIZE] __attribute__((aligned(16)));
static double c[SIZE][SIZE] __attribute__((aligned(16)));

/* c = a * b */
static void multiply(void);

static inline double small_integer(u32 random) { return (double)(i32)(random >> 12) - 500000.0; }

void prepare(void) {
    u32 state = 521288629;
    for (u32 i = 0; i < SIZE; i++)
        for (u32 j = 0; j < SIZE; j++) {
            a[i][j] = small_integer(random_next(&state));
            b[i][j] = small_integer(random_next(&state));
        }
}

u32 compute(u32 units) {
    u32 checksum = 0;
    while (units--) {
        multiply();
        for (u32 i = 0; i < SIZE; i++) {
            for (u32 j = 0; j < SIZE; j++) {
                union { double value; u32 half[2]; } bits = {c[i][j]};
                checksum = checksum * 31 + (bits.half[0] ^ bits.half[1]);
            }
            a[i][checksum % SIZE] = small_integer(checksum);
        }
    }
    return checksum;
}
