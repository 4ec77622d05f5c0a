/* 4 MiB pages (SDM 3A 4.3, table 4-4). */
#include "paging_guest.h"

enum { BIG_LINEAR = 0x40000000, BIG_PDE = BIG_LINEAR >> 22, RWU = PTE_P | PTE_W | PTE_U };

static volatile u32 *entry(void) { return &page_directory[BIG_PDE]; }

static void set(u32 value) {
    *entry() = value;
    invlpg(BIG_LINEAR);
}

void big_pages(void) {
    if (!cpu_has(CPU_PSE)) return skip("4 MiB pages", "PSE");
    u32 offset = FRAME(1) & 0x3FFFFF, base = FRAME(1) & ~0x3FFFFFu;
    write_cr4(read_cr4() | CR4_PSE);
    set(base | RWU | PTE_PS);
    check("4 MiB page: read", *(volatile u8 *)(BIG_LINEAR + offset + 7), 0x11);
    check("4 MiB page: a read sets A", *entry() & (PTE_A | PTE_D), PTE_A);
    *(volatile u8 *)(BIG_LINEAR + offset) = 0x77;
    check("4 MiB page: write", frames[1][0], 0x77);
    check("4 MiB page: a write sets D", *entry() & (PTE_A | PTE_D), PTE_A | PTE_D);
    set(base | PTE_P | PTE_U | PTE_PS);
    probe_outer("movb %%cl, (%0)", : "r"(BIG_LINEAR + offset), "c"(0));
    check_page_fault("4 MiB page: read-only", PF_USER | PF_WRITE | PF_PRESENT, BIG_LINEAR + offset);
    set(base | PTE_P | PTE_W | PTE_PS);
    probe_outer("movb (%0), %%cl", : "r"(BIG_LINEAR + offset) : "ecx");
    check_page_fault("4 MiB page: supervisor", PF_USER | PF_PRESENT, BIG_LINEAR + offset);
    set(base | RWU | PTE_PS | 1 << 21);
    probe("movb (%0), %%cl", : "r"(BIG_LINEAR + offset) : "ecx");
    check_page_fault("4 MiB page: reserved bit 21", PF_RESERVED | PF_PRESENT, BIG_LINEAR + offset);
    set(base | RWU | PTE_PS);
    u32 last = BIG_LINEAR + 0x3FFFFE;
    probe("movl (%0), %%ecx", : "r"(last) : "ecx");
    check_page_fault("4 MiB page: read beyond its end", 0, BIG_LINEAR + 0x400000);

    /* With CR4.PSE clear the PS bit means nothing: the entry points to a page table. */
    static u32 table[1024] __attribute__((aligned(PAGE)));
    table[0] = FRAME(2) | RWU;
    set((u32)table | RWU | PTE_PS);
    write_cr4(read_cr4() & ~CR4_PSE);
    write_cr3(read_cr3());
    check("CR4.PSE clear: PS is ignored", *(volatile u8 *)BIG_LINEAR, 0x22);
    set(0);
    memset(frames[1], 0x11, PAGE);
}
