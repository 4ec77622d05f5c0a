/* Accessed and dirty bits (SDM 3A 4.8). */
#include "paging_guest.h"

static u32 bits(u32 linear) { return *(volatile u32 *)pte(linear) & (PTE_A | PTE_D); }
static volatile u32 *directory_entry(void) { return &page_directory[WINDOW_PDE]; }

static void fresh(u32 extra) {
    *directory_entry() &= ~(PTE_A | PTE_D);
    set_pte(WINDOW, FRAME(0) | PTE_P | extra);
}

void accessed_and_dirty(void) {
    volatile u8 *byte = (volatile u8 *)WINDOW;
    fresh(PTE_W | PTE_U);
    check("a new entry has neither A nor D", bits(WINDOW), 0);
    (void)*byte;
    check("a read sets A", bits(WINDOW), PTE_A);
    check("a read sets A in the directory", *directory_entry() & (PTE_A | PTE_D), PTE_A);
    *byte = 1;
    check("a write after a read sets D", bits(WINDOW), PTE_A | PTE_D);
    check("a write does not set D in a directory entry", *directory_entry() & (PTE_A | PTE_D), PTE_A);
    fresh(PTE_W | PTE_U);
    *byte = 1;
    check("a first write sets A and D", bits(WINDOW), PTE_A | PTE_D);
    fresh(PTE_W | PTE_U);
    asm volatile("cmpxchgb %%cl, (%0)" : : "r"(byte), "a"(0x77), "c"(0x66) : "cc", "memory");
    check("CMPXCHG that does not store writes all the same", bits(WINDOW), PTE_A | PTE_D);
    fresh(PTE_W | PTE_U);
    asm volatile("btl $0, (%0)" : : "r"(byte) : "cc");
    check("BT only reads", bits(WINDOW), PTE_A);

    fresh(PTE_U);
    probe_outer("movb %%cl, (%0)", : "r"(byte), "c"(0));
    check("a write that faults does not set D", bits(WINDOW) & PTE_D, 0);
    check_fault("a write that faults, faults", PF, PF_USER | PF_WRITE | PF_PRESENT);
    fresh(PTE_U);
    *byte = 1;
    check("a supervisor write to a read-only page, WP clear, sets D", bits(WINDOW), PTE_A | PTE_D);
    set_pte(WINDOW, FRAME(0));
    probe("movb (%0), %%cl", : "r"(byte) : "ecx");
    check("a fault for absence sets nothing", bits(WINDOW), 0);
    check_page_fault("read, not present", 0, WINDOW);

    frames[0][0] = 0xC3; /* RET */
    fresh(PTE_W | PTE_U);
    asm volatile("call *%0" : : "r"(byte) : "memory");
    check("a fetch sets A", bits(WINDOW), PTE_A);

    fresh(PTE_W | PTE_U);
    set_pte(WINDOW + PAGE, FRAME(1) | PTE_P | PTE_W | PTE_U);
    *(volatile u32 *)(WINDOW + PAGE - 2) = 0x12345678;
    check("a write across pages sets D in the first", bits(WINDOW), PTE_A | PTE_D);
    check("a write across pages sets D in the second", bits(WINDOW + PAGE), PTE_A | PTE_D);

    /* Software may clear the bits; with INVLPG, the processor sets them again. */
    fresh(PTE_W | PTE_U);
    *byte = 1;
    *pte(WINDOW) &= ~(PTE_A | PTE_D);
    invlpg(WINDOW);
    (void)*byte;
    check("A is set again after it was cleared", bits(WINDOW), PTE_A);
    *byte = 1;
    check("D is set again after it was cleared", bits(WINDOW), PTE_A | PTE_D);
    memset(frames[0], 0, PAGE);
    memset(frames[1], 0x11, PAGE);
}
