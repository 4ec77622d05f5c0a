/* Recursion: calls and returns, arguments on the stack. */
#include "compute.h"

const char guest_name[] = "compute-calls";
const u32 expected_checksum = 0x4B562F95;

__attribute__((noinline, disable_tail_calls)) static u32 fibonacci(u32 n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__attribute__((noinline, disable_tail_calls)) static u32 ackermann(u32 m, u32 n) {
    if (m == 0) return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

u32 compute(void) {
    u32 checksum = fibonacci(32);
    for (u32 n = 0; n < 400; n++) checksum = checksum * 31 + ackermann(2, n % 64);
    return checksum;
}
