/* Matrix multiplication by SSE2, two columns at a time. Its checksum is that of the x87. */
#include "matrix.h"

const char guest_name[] = "compute-matrix-sse";
const u32 expected_checksum = 0xE4442DB0;

typedef double pair __attribute__((vector_size(16)));

__attribute__((target("sse2"), noinline)) static void multiply(void) {
    for (u32 i = 0; i < SIZE; i++)
        for (u32 j = 0; j < SIZE; j += 2) {
            pair sum = {0, 0};
            for (u32 k = 0; k < SIZE; k++) {
                pair left = {a[i][k], a[i][k]};
                sum += left * *(const pair *)&b[k][j];
            }
            *(pair *)&c[i][j] = sum;
        }
}
