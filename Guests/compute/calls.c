/* Recursion: calls and returns, arguments on the stack. */
#include "compute.h"

const char guest_name[] = "compute-calls";
const u32 expected_checksum = 0x0CFA30F7;

__attribute__((noinline, disable_tail_calls)) static u32 fibonacci(u32 n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__attribute__((noinline, disable_tail_calls)) static u32 ackermann(u32 m, u32 n) {
    if (m == 0) return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

void prepare(void) {}

u32 compute(u32 units) {
    u32 checksum = 0;
    while (units--) {
        u32 n = 20;
        __asm__ volatile("" : "+r"(n)); /* or the compiler would call them once for all units */
        checksum = stir(checksum) * 31 + fibonacci(n);
        checksum = checksum * 31 + ackermann(2, n);
    }
    return checksum;
}
