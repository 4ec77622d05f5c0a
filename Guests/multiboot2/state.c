/* The machine's state at the entry point, as state.S has recorded it (Multiboot2 3.3). */
#include "multiboot2.h"

extern const u32 entry_cr0, entry_eflags, entry_pushed, entry_eip, entry_here, entry_seen[6], entry_written[5];

/* Memory at an address and at the one that differs in bit 20 alone are not the same. */
static void check_a20(void) {
    static volatile u32 here;
    const volatile u32 *there = (const volatile u32 *)((u32)&here ^ 1 << 20);
    here = 0x1234;
    u32 before = *there;
    here = 0x4321;
    check("A20 is on", *there, before);
}

void check_state(void) {
    static const char *const segments[] = {"CS", "DS", "ES", "FS", "GS", "SS"};
    char name[64];
    check("CR0: protected mode without paging", entry_cr0 & (CR0_PE | CR0_PG), CR0_PE);
    check("EFLAGS: interrupts off, no virtual-8086 mode", entry_eflags & (EFLAGS_IF | EFLAGS_VM), 0);
    check("the code is where it was linked to be", entry_eip, entry_here);
    check("the stack segment is a 32-bit one", entry_pushed, 0x57AC);
    for (u32 i = 0; i < length_of(segments); i++) {
        format(name, "%s starts at 0", segments[i]);
        check(name, entry_seen[i], 0xF1A7);
    }
    for (u32 i = 0; i < length_of(entry_written); i++) {
        format(name, "%s can be written through", segments[i + 1]);
        check(name, entry_written[i], 0x57A7);
    }
    check_a20();
}
