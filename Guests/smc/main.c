/* Code that changes: patched, copied, remapped, and read in two modes. On a uniprocessor a jump is all that is needed between
 * writing code and running it (SDM 3A 8.1.3); P6 processors even see the very next instruction change. */
#include "smc.h"

const char guest_name[] = "smc";
u8 arena[4 * PAGE] __attribute__((aligned(PAGE)));

void write_return(u8 *at, u32 value) {
    at[0] = 0xB8;
    memcpy(at + 1, &value, 4);
    at[5] = 0xC3;
}

u32 call(const void *code) {
    u32 result;
    asm volatile("call *%1" : "=a"(result) : "r"(code) : "ecx", "edx", "memory", "cc");
    return result;
}

void guest_main(void) {
    patches();
    copies();
    modes();
    paging_on();
    mappings();
    paging_off();
}
