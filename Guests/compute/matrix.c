/* Matrix multiplication in doubles. Every value is an integer below 2^53, so that x87 and SSE agree to the bit. */
#include "compute.h"

const char guest_name[] = "compute-matrix";
const u32 expected_checksum = 0xDAB7A3F7;

enum { SIZE = 160, PASSES = 4 };
static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

u32 compute(void) {
    u32 state = 521288629, checksum = 0;
    for (u32 i = 0; i < SIZE; i++)
        for (u32 j = 0; j < SIZE; j++) {
            a[i][j] = (double)(i32)(random_next(&state) >> 12) - 500000.0;
            b[i][j] = (double)(i32)(random_next(&state) >> 12) - 500000.0;
        }
    for (u32 pass = 0; pass < PASSES; pass++) {
        for (u32 i = 0; i < SIZE; i++)
            for (u32 j = 0; j < SIZE; j++) {
                double sum = 0;
                for (u32 k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
                c[i][j] = sum;
            }
        for (u32 i = 0; i < SIZE; i++)
            for (u32 j = 0; j < SIZE; j++) {
                union { double value; u32 half[2]; } bits = {c[i][j]};
                checksum = checksum * 31 + (bits.half[0] ^ bits.half[1]);
                a[i][j] = (double)(i32)(checksum >> 12) - 500000.0;
            }
    }
    return checksum;
}
