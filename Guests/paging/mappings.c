/* Changing translations: what INVLPG, CR3 and CR4.PGE make visible (SDM 3A 4.10.4), aliases, and the control registers. */
#include "paging_guest.h"

static u8 seen(u32 linear) { return *(volatile u8 *)linear; }

enum { RWU = PTE_P | PTE_W | PTE_U };

static void flushes(void) {
    set_pte(WINDOW, FRAME(1) | RWU);
    check("mapped to frame 1", seen(WINDOW), 0x11);
    set_pte(WINDOW, FRAME(2) | RWU);
    check("INVLPG: mapped to frame 2", seen(WINDOW), 0x22);
    *pte(WINDOW) = FRAME(3) | RWU;
    write_cr3(read_cr3());
    check("MOV to CR3: mapped to frame 3", seen(WINDOW), 0x33);
    *pte(WINDOW) = FRAME(1) | RWU;
    write_cr0(read_cr0() & ~CR0_PG);
    write_cr0(read_cr0() | CR0_PG);
    check("CR0.PG off and on: mapped to frame 1", seen(WINDOW), 0x11);
    set_pte(WINDOW, 0);
    probe("movb (%0), %%cl", : "r"(WINDOW + 5) : "ecx");
    check_page_fault("INVLPG: mapped to nothing", 0, WINDOW + 5);
    *(volatile u32 *)pte(WINDOW) = FRAME(2) | RWU;
    probe("movb (%0), %%cl", : "r"(WINDOW + 5) : "ecx");
    check_no_trap("making an entry present needs no flush");
    /* A fault of rights flushes by itself: the entry in memory is what counts at the retry. */
    set_pte(WINDOW, FRAME(2) | PTE_P | PTE_W);
    (void)seen(WINDOW);
    probe_outer("movb (%0), %%cl", : "r"(WINDOW) : "ecx");
    check_page_fault("supervisor page from ring 3", PF_USER | PF_PRESENT, WINDOW);
    *(volatile u32 *)pte(WINDOW) = FRAME(2) | RWU;
    probe_outer("movb (%0), %%cl", : "r"(WINDOW) : "ecx");
    check_vector("after a fault, more rights need no flush", REACHED, 0);

    if (!cpu_has(CPU_PGE)) return skip("global pages", "PGE");
    write_cr4(read_cr4() | CR4_PGE);
    set_pte(WINDOW, FRAME(1) | RWU | PTE_G);
    check("global page: mapped to frame 1", seen(WINDOW), 0x11);
    set_pte(WINDOW, FRAME(2) | RWU | PTE_G);
    check("global page: INVLPG flushes it", seen(WINDOW), 0x22);
    *pte(WINDOW) = FRAME(3) | RWU | PTE_G;
    write_cr4(read_cr4() & ~CR4_PGE);
    check("global page: clearing CR4.PGE flushes it", seen(WINDOW), 0x33);
    write_cr4(read_cr4() | CR4_PGE);
    *pte(WINDOW + PAGE) = FRAME(1) | RWU;
    invlpg(WINDOW + PAGE);
    (void)seen(WINDOW + PAGE);
    *pte(WINDOW + PAGE) = FRAME(2) | RWU;
    write_cr3(read_cr3());
    check("CR4.PGE set: MOV to CR3 flushes pages that are not global", seen(WINDOW + PAGE), 0x22);
    write_cr4(read_cr4() & ~CR4_PGE);
}

/* Two directories, two views of one linear address: what an address space is. */
static void address_spaces(void) {
    static u32 directory[1024] __attribute__((aligned(PAGE))), table[1024] __attribute__((aligned(PAGE)));
    memcpy(directory, page_directory, sizeof directory);
    memcpy(table, pte(WINDOW), sizeof table);
    directory[WINDOW_PDE] = (u32)table | RWU;
    set_pte(WINDOW, FRAME(1) | RWU);
    table[0] = FRAME(2) | RWU;
    u32 first = read_cr3(), sum = 0;
    for (u32 i = 0; i < 3; i++) {
        write_cr3((u32)directory);
        sum = sum * 256 + seen(WINDOW);
        write_cr3(first);
        sum = sum * 256 + seen(WINDOW);
    }
    check("two address spaces, alternately", sum, 0x22112211);
}

static void aliases(void) {
    set_pte(WINDOW, FRAME(0) | RWU);
    set_pte(WINDOW + PAGE, FRAME(0) | RWU);
    *(volatile u32 *)(WINDOW + 0x10) = 0xCAFE0001;
    check("a write shows through an alias", *(volatile u32 *)(WINDOW + PAGE + 0x10), 0xCAFE0001);
    check("a write shows at the frame itself", *(volatile u32 *)(FRAME(0) + 0x10), 0xCAFE0001);
    /* The directory as its own page table: the tables become visible at 0xFFC00000. */
    page_directory[1023] = (u32)page_directory | PTE_P | PTE_W;
    volatile u32 *tables = (volatile u32 *)0xFFC00000;
    check("a directory that maps itself shows the page tables", tables[WINDOW / PAGE] & ~(PTE_A | PTE_D), FRAME(0) | RWU);
    tables[WINDOW / PAGE] = FRAME(3) | RWU;
    invlpg(WINDOW);
    check("and changes mappings through itself", seen(WINDOW), 0x33);
    page_directory[1023] = 0;
    write_cr3(read_cr3());
    memset(frames[0], 0, PAGE);
}

static void control_registers(void) {
    write_cr2(0x12345678);
    check("CR2 can be written", read_cr2(), 0x12345678);
    u32 cr3 = read_cr3();
    write_cr3(cr3 | PTE_PWT | PTE_PCD);
    check("CR3 keeps PWT and PCD", read_cr3(), cr3 | PTE_PWT | PTE_PCD);
    write_cr3(cr3);
    u32 pde = page_directory[WINDOW_PDE];
    page_directory[WINDOW_PDE] = 0;
    write_cr3(cr3);
    probe("movb %%cl, (%0)", : "r"(WINDOW + 7), "c"(0));
    check_page_fault("directory entry not present", PF_WRITE, WINDOW + 7);
    page_directory[WINDOW_PDE] = pde;
    probe("movb (%0), %%cl", : "r"(0xF0000000) : "ecx");
    check_page_fault("high address not present", 0, 0xF0000000);
    probe("invlpg (%0)", : "r"(0xF0000000));
    check_no_trap("INVLPG of an address that is not mapped");
}

void mappings(void) {
    flushes();
    address_spaces();
    aliases();
    control_registers();
}
