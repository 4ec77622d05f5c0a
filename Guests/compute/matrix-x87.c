/* Matrix multiplication on the x87's register stack. */
#include "matrix.h"

const char guest_name[] = "compute-matrix-x87";
const u32 expected_checksum = 0xE4442DB0;

static void multiply(void) {
    for (u32 i = 0; i < SIZE; i++)
        for (u32 j = 0; j < SIZE; j++) {
            double sum = 0;
            for (u32 k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}
