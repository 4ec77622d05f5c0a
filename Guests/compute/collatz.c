/* Collatz chains: dependent arithmetic, an unpredictable branch every few instructions, 64-bit values in 32-bit halves. */
#include "compute.h"

const char guest_name[] = "compute-collatz";
const u32 expected_checksum = 0xC88255BE;

enum { FIRST = 200001, COUNT = 200 };

void prepare(void) {}

u32 compute(u32 units) {
    u32 checksum = 0, longest = 0;
    while (units--) {
        checksum = stir(checksum);
        for (u32 start = FIRST; start < FIRST + COUNT; start++) {
            u64 n = start;
            u32 steps = 0;
            while (n != 1) {
                if (n & 1) n = 3 * n + 1;
                else n >>= 1;
                steps++;
            }
            checksum = checksum * 31 + steps;
            if (steps > longest) longest = steps, checksum ^= start;
        }
    }
    return checksum ^ longest;
}
