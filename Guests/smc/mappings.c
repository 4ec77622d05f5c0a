/* Code behind page tables: patched through an alias, remapped, in two address spaces, by ring 3, and made executable late. */
#include "smc.h"

enum { RWU = PTE_P | PTE_W | PTE_U, WINDOW = 12 << 20, ALIAS = 13 << 20 };

static u32 frame(u32 n) { return (u32)arena + n * PAGE; }

static void aliases(void) {
    set_pte(WINDOW, frame(0) | RWU);
    set_pte(ALIAS, frame(0) | RWU);
    u32 right = 0;
    for (u32 i = 0; i < 100; i++) {
        write_return((u8 *)ALIAS, i);
        right += call((void *)WINDOW) == i;
        *(volatile u8 *)(frame(0) + 2) = 1; /* a third name: physical = linear */
        right += call((void *)WINDOW) == i + 256;
    }
    check("patched through an alias, 200 times", right, 200);
    /* The window is read-only and not even writable by itself; the alias still reaches the code. */
    set_pte(WINDOW, frame(0) | PTE_P | PTE_U);
    write_return((u8 *)ALIAS, 0xA11A5);
    check("patched through an alias of a read-only page", call((void *)WINDOW), 0xA11A5);
}

static void remaps(void) {
    for (u32 n = 0; n < 3; n++) write_return((u8 *)frame(n), 0x1000 + n);
    u32 right = 0;
    for (u32 i = 0; i < 300; i++) {
        set_pte(WINDOW, frame(i % 3) | RWU);
        right += call((void *)WINDOW) == 0x1000 + i % 3;
    }
    check("a code page remapped 300 times", right, 300);
    right = 0;
    for (u32 i = 0; i < 300; i++) {
        *pte(WINDOW) = frame(i % 3) | RWU;
        write_cr3(read_cr3());
        right += call((void *)WINDOW) == 0x1000 + i % 3;
    }
    check("a code page remapped with MOV to CR3, 300 times", right, 300);
    set_pte(WINDOW, 0);
    probe("call *%0", : "r"(WINDOW));
    check("unmapped: #PF", trap.vector, PF);
    check("unmapped: EIP", trap.eip, WINDOW);
    set_pte(WINDOW, frame(1) | RWU);
    check("mapped again", call((void *)WINDOW), 0x1001);
    /* Direct jumps between pages must not remember where the target was. */
    u8 *jump = (u8 *)frame(3);
    jump[0] = 0xE9; /* JMP rel32 from ALIAS to WINDOW */
    i32 distance = WINDOW - (ALIAS + 5);
    memcpy(jump + 1, &distance, 4);
    set_pte(ALIAS, frame(3) | RWU);
    right = 0;
    for (u32 i = 0; i < 300; i++) {
        set_pte(WINDOW, frame(i % 3) | RWU);
        right += call((void *)ALIAS) == 0x1000 + i % 3;
    }
    check("jumps into a page remapped 300 times", right, 300);
}

static void address_spaces(void) {
    static u32 directory[1024] __attribute__((aligned(PAGE))), table[1024] __attribute__((aligned(PAGE)));
    memcpy(directory, page_directory, sizeof directory);
    memcpy(table, pte(WINDOW), sizeof table);
    directory[WINDOW >> 22] = (u32)table | RWU;
    set_pte(WINDOW, frame(1) | RWU);
    table[0] = frame(2) | RWU;
    u32 first = read_cr3(), right = 0;
    for (u32 i = 0; i < 200; i++) {
        write_cr3(i & 1 ? (u32)directory : first);
        right += call((void *)WINDOW) == (i & 1 ? 0x1002 : 0x1001);
    }
    write_cr3((u32)directory);
    write_return((u8 *)frame(1), 0x2001); /* patched while the other space is current */
    write_cr3(first);
    check("one linear address, two address spaces, 200 switches", right, 200);
    check("patched while in the other space", call((void *)WINDOW), 0x2001);
}

/* Ring 3 may neither fetch from a supervisor page nor be stopped by what ring 0 has run there. */
static void rights(void) {
    static const u8 reports[] = {0xCD, 0x30}; /* INT 0x30 */
    memcpy((void *)frame(0), reports, 2);
    set_pte(WINDOW, frame(0) | PTE_P | PTE_W);
    probe("jmp *%0", : "r"(WINDOW));
    check("ring 0 runs a supervisor page", trap.eip, WINDOW + 2);
    probe_outer("jmp *%0", : "r"(WINDOW));
    check("ring 3 does not: vector", trap.vector, PF);
    check("ring 3 does not: error code", trap.error, PF_USER | PF_PRESENT);
    set_pte(WINDOW, frame(0) | RWU);
    probe_outer("jmp *%0", : "r"(WINDOW));
    check("ring 3 runs it as a user page", trap.eip, WINDOW + 2);
    set_pte(WINDOW, frame(0) | PTE_P | PTE_W);
    probe_outer("jmp *%0", : "r"(WINDOW));
    check("and no longer when it is taken back", trap.error, PF_USER | PF_PRESENT);
    /* A page read-only to ring 3 that ring 0 patches, WP clear. */
    set_pte(WINDOW, frame(0) | PTE_P | PTE_U);
    write_return((u8 *)WINDOW, 0x3333);
    check("patched through a read-only page, WP clear", call((void *)WINDOW), 0x3333);
}

void mappings(void) {
    aliases();
    remaps();
    address_spaces();
    rights();
}
