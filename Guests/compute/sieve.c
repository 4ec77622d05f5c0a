/* Sieve of Eratosthenes: byte stores at growing strides, short branches. */
#include "compute.h"

const char guest_name[] = "compute-sieve";
const u32 expected_checksum = 0xA19A125B;

enum { LIMIT = 4000000, PASSES = 5 };
static u8 composite[LIMIT];

u32 compute(void) {
    u32 checksum = 0;
    for (u32 pass = 0; pass < PASSES; pass++) {
        for (u32 i = 0; i < LIMIT; i++) composite[i] = 0;
        for (u32 i = 2; i * i < LIMIT; i++)
            if (!composite[i])
                for (u32 j = i * i; j < LIMIT; j += i) composite[j] = 1;
        for (u32 i = 2 + pass; i < LIMIT; i++)
            if (!composite[i]) checksum = checksum * 31 + i;
    }
    return checksum;
}
