/* Collatz chains: dependent arithmetic, an unpredictable branch every few instructions, 64-bit values in 32-bit halves. */
#include "compute.h"

const char guest_name[] = "compute-collatz";
const u32 expected_checksum = 0xD4BF8DFB;

enum { LIMIT = 250000 };

u32 compute(void) {
    u32 checksum = 0, longest = 0;
    for (u32 start = 1; start < LIMIT; start++) {
        u64 n = start;
        u32 steps = 0;
        while (n != 1) {
            if (n & 1) n = 3 * n + 1;
            else n >>= 1;
            steps++;
        }
        checksum += steps * start;
        if (steps > longest) longest = steps, checksum ^= start;
    }
    return checksum ^ longest;
}
