/* Who may do what: every combination of the W and U bits of both levels, CR0.WP, ring and access (SDM 3A 4.6). */
#include "paging_guest.h"

static bool allowed(u32 pde, u32 pte, bool wp, bool user, bool write) {
    bool both_user = pde & pte & PTE_U, both_writable = pde & pte & PTE_W;
    if (user) return both_user && (!write || both_writable);
    return !write || both_writable || !wp;
}

static void access(bool user, bool write) {
    u32 address = WINDOW + 0x123;
    if (user && write) {
        probe_outer("movb %%cl, (%0)", : "r"(address), "c"(0));
    } else if (user) {
        probe_outer("movb (%0), %%cl", : "r"(address) : "ecx");
    } else if (write) {
        probe("movb %%cl, (%0)", : "r"(address), "c"(0));
    } else {
        probe("movb (%0), %%cl", : "r"(address) : "ecx");
    }
}

static void every_combination(void) {
    struct tally t[4] = {0};
    u32 pde_base = page_directory[WINDOW_PDE] & ~(PAGE - 1);
    for (u32 bits = 0; bits < 64; bits++) {
        u32 pde = bits & 3, pte_bits = bits >> 2 & 3; /* bit 0: W, bit 1: U */
        bool wp = bits & 16, user = bits & 32;
        page_directory[WINDOW_PDE] = pde_base | PTE_P | pde << 1;
        set_pte(WINDOW, FRAME(0) | PTE_P | pte_bits << 1);
        write_cr3(read_cr3());
        write_cr0(wp ? read_cr0() | CR0_WP : read_cr0() & ~CR0_WP);
        for (u32 write = 0; write < 2; write++) {
            access(user, write);
            char text[96], *end = format(text, "PDE %x PTE %x WP %u: ", pde << 1, pte_bits << 1, wp);
            describe_trap(end, &trap);
            u32 error = PF_PRESENT | (write ? PF_WRITE : 0) | (user ? PF_USER : 0);
            bool passed = trap.vector == (user ? REACHED : NO_TRAP);
            bool faulted = trap.vector == PF && trap.error == error && trap.cr2 == WINDOW + 0x123 && trap.offset == 0;
            tally(&t[user * 2 + write], allowed(pde << 1, pte_bits << 1, wp, user, write) ? passed : faulted, text);
        }
    }
    write_cr0(read_cr0() & ~CR0_WP);
    page_directory[WINDOW_PDE] = pde_base | PTE_P | PTE_W | PTE_U;
    write_cr3(read_cr3());
    check_tally("supervisor reads, every W/U/WP", &t[0]);
    check_tally("supervisor writes, every W/U/WP", &t[1]);
    check_tally("user reads, every W/U/WP", &t[2]);
    check_tally("user writes, every W/U/WP", &t[3]);
}

/* The processor's own accesses to its tables are supervisor accesses even in ring 3, and write only where they must. */
static void implicit_accesses(void) {
    static u64 table[PAGE / 8] __attribute__((aligned(PAGE)));
    memcpy(table, gdt, sizeof gdt);
    struct table_register other = {sizeof table - 1, (u32)table};
    asm volatile("lgdt %0" : : "m"(other));
    u32 page = (u32)table;
    table[SPARE(0) >> 3] = descriptor(0, 0xFFFFF, DATA_RW | DPL(3), FLAT);
    set_pte(page, page | PTE_P | PTE_W);
    probe_outer("movl %0, %%fs", : "r"(SPARE(0) | 3));
    check_vector("ring 3 loads a segment from a supervisor page", REACHED, 0);
    check("the accessed bit was set there", (u32)(table[SPARE(0) >> 3] >> 40) & 1, 1);
    set_pte(page, page | PTE_P);
    write_cr0(read_cr0() | CR0_WP);
    probe_outer("movl %0, %%fs", : "r"(SPARE(0) | 3));
    check_vector("accessed already: the page may be read-only", REACHED, 0);
    write_cr0(read_cr0() & ~CR0_WP);
    table[SPARE(0) >> 3] &= ~((u64)ACCESSED << 40);
    write_cr0(read_cr0() | CR0_WP);
    probe_outer("movl %0, %%fs", : "r"(SPARE(0) | 3));
    check("#PF setting the accessed bit in a read-only page: vector", trap.vector, PF);
    check("#PF setting the accessed bit in a read-only page: supervisor write", trap.error, PF_PRESENT | PF_WRITE);
    check("#PF setting the accessed bit in a read-only page: page", trap.cr2 & ~7u, page + (SPARE(0) & ~7u));
    write_cr0(read_cr0() & ~CR0_WP);
    asm volatile("lgdt %0" : : "m"(gdt_descriptor));
    reset_pte(page);
}

void rights(void) {
    every_combination();
    implicit_accesses();
}
