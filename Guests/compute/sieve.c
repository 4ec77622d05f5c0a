/* Sieve of Eratosthenes: byte stores at growing strides, short branches. */
#include "compute.h"

const char guest_name[] = "compute-sieve";
const u32 expected_checksum = 0x4794914B;

enum { LIMIT = 40000 };
static u8 composite[LIMIT];

void prepare(void) {}

u32 compute(u32 units) {
    u32 checksum = 0;
    while (units--) {
        checksum = stir(checksum);
        for (u32 i = 0; i < LIMIT; i++) composite[i] = 0;
        for (u32 i = 2; i * i < LIMIT; i++)
            if (!composite[i])
                for (u32 j = i * i; j < LIMIT; j += i) composite[j] = 1;
        for (u32 i = 2; i < LIMIT; i++)
            if (!composite[i]) checksum = checksum * 31 + i;
    }
    return checksum;
}
