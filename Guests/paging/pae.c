/* PAE paging with 4 KiB and 2 MiB pages, its reserved bits, and NX (SDM 3A 4.4, 4.6). */
#include "paging_guest.h"

enum { RWU = PTE_P | PTE_W | PTE_U, LARGE = 2 << 20 };
enum { EFER = 0xC0000080, EFER_NXE = 1 << 11 };
static const u64 NX = (u64)1 << 63;

static u64 pointers[4] __attribute__((aligned(32)));
static u64 directory[512] __attribute__((aligned(PAGE)));
static u64 table[512] __attribute__((aligned(PAGE)));

static void set(u32 linear, u64 value) {
    table[linear >> 12 & 511] = value;
    invlpg(linear);
}

/* The first 16 MiB in 2 MiB pages, but for the window, which has a table. */
static void build(void) {
    for (u32 i = 0; i < 8; i++) directory[i] = i * LARGE | RWU | PTE_PS;
    directory[WINDOW / LARGE] = (u32)table | RWU;
    pointers[0] = (u32)directory | PTE_P;
    write_cr4(read_cr4() | CR4_PAE);
    write_cr3((u32)pointers);
    write_cr0(read_cr0() | CR0_PG);
}

static void pages(void) {
    set(WINDOW, FRAME(1) | RWU);
    check("PAE: 4 KiB page", *(volatile u8 *)WINDOW, 0x11);
    check("PAE: a read sets A", (u32)table[0] & (PTE_A | PTE_D), PTE_A);
    *(volatile u8 *)(WINDOW + 1) = 0x55;
    check("PAE: a write sets D", (u32)table[0] & (PTE_A | PTE_D), PTE_A | PTE_D);
    check("PAE: the write arrives", frames[1][1], 0x55);
    frames[1][1] = 0x11;
    set(WINDOW, FRAME(1) | PTE_P | PTE_U);
    probe_outer("movb %%cl, (%0)", : "r"(WINDOW), "c"(0));
    check_page_fault("PAE: read-only page", PF_USER | PF_WRITE | PF_PRESENT, WINDOW);
    set(WINDOW, 0);
    probe("movb (%0), %%cl", : "r"(WINDOW) : "ecx");
    check_page_fault("PAE: page not present", 0, WINDOW);

    u32 alias = 0x80000000; /* third pointer: reloaded by MOV to CR3 */
    pointers[2] = (u32)directory | PTE_P;
    write_cr3((u32)pointers);
    check("PAE: 2 MiB page through another pointer", *(volatile u8 *)(alias + FRAME(2)), 0x22);
    *(volatile u8 *)(alias + FRAME(2)) = 0x66;
    check("PAE: 2 MiB page: write", frames[2][0], 0x66);
    check("PAE: 2 MiB page: D", (u32)directory[FRAME(2) / LARGE] & PTE_D, PTE_D);
    frames[2][0] = 0x22;
    pointers[2] = 0;
    probe("movb (%0), %%cl", : "r"(alias + FRAME(3)) : "ecx");
    check_no_trap("PAE: pointers are registers, read by MOV to CR3 only");
    write_cr3((u32)pointers);
    probe("movb (%0), %%cl", : "r"(alias + FRAME(3)) : "ecx");
    check_page_fault("PAE: pointer not present", 0, alias + FRAME(3));
}

static void reserved(void) {
    set(WINDOW, FRAME(1) | RWU | (u64)1 << 52);
    probe("movb (%0), %%cl", : "r"(WINDOW) : "ecx");
    check_page_fault("PAE: reserved bit 52 of a page table entry", PF_RESERVED | PF_PRESENT, WINDOW);
    set(WINDOW, FRAME(1) | PTE_P | PTE_U | (u64)1 << 62);
    probe_outer("movb %%cl, (%0)", : "r"(WINDOW), "c"(0));
    check_page_fault("PAE: reserved bit 62, user write", PF_RESERVED | PF_USER | PF_WRITE | PF_PRESENT, WINDOW);
    u64 kept = directory[WINDOW / LARGE];
    directory[WINDOW / LARGE] = RWU | PTE_PS | 1 << 13;
    invlpg(WINDOW);
    probe("movb (%0), %%cl", : "r"(WINDOW) : "ecx");
    check_page_fault("PAE: reserved bit 13 of a 2 MiB page", PF_RESERVED | PF_PRESENT, WINDOW);
    directory[WINDOW / LARGE] = kept;
    set(WINDOW, FRAME(1) | RWU);
    pointers[3] = PTE_P | PTE_W;
    probe("movl %0, %%cr3", : "r"(pointers));
    check_fault("#GP reserved bit of a present pointer", GP, 0);
    pointers[3] = PTE_W;
    probe("movl %0, %%cr3", : "r"(pointers));
    check_no_trap("bits of an absent pointer do not matter");
    pointers[3] = 0;
}

/* A page of RETs; fetched by ring 0 and ring 3. */
static void no_execute(void) {
    if (cpuid(0x80000000).eax < 0x80000001 || !(cpuid(0x80000001).edx >> 20 & 1)) return skip("NX", "NX");
    set(WINDOW, FRAME(1) | RWU | NX);
    probe("movb (%0), %%cl", : "r"(WINDOW) : "ecx");
    check_page_fault("NX is reserved while EFER.NXE is clear", PF_RESERVED | PF_PRESENT, WINDOW);
    wrmsr(EFER, rdmsr(EFER) | EFER_NXE);
    frames[1][0] = 0xC3;
    set(WINDOW, FRAME(1) | RWU | NX);
    probe("movb (%0), %%cl; movb %%cl, (%0)", : "r"(WINDOW) : "ecx");
    check_no_trap("NX page: read and write");
    probe("call *%0", : "r"(WINDOW));
    check("NX page: fetch", trap.vector, PF);
    check("NX page: fetch: error code", trap.error, PF_FETCH | PF_PRESENT);
    check("NX page: fetch: CR2", trap.cr2, WINDOW);
    check("NX page: fetch: EIP", trap.eip, WINDOW);
    probe_outer("jmp *%0", : "r"(WINDOW));
    check("NX page: user fetch: error code", trap.error, PF_FETCH | PF_USER | PF_PRESENT);
    set(WINDOW, 0);
    probe("call *%0", : "r"(WINDOW));
    check("NXE set: fetch from an absent page: error code", trap.error, PF_FETCH);
    set(WINDOW, FRAME(1) | RWU);
    probe("call *%0", : "r"(WINDOW));
    check_no_trap("NXE set: fetch from a page without NX");
    u64 kept = directory[WINDOW / LARGE];
    directory[WINDOW / LARGE] = kept | NX;
    invlpg(WINDOW);
    probe("call *%0", : "r"(WINDOW));
    check("NX in the directory: error code", trap.vector == PF ? trap.error : 0, PF_FETCH | PF_PRESENT);
    directory[WINDOW / LARGE] = kept;
    invlpg(WINDOW);
    wrmsr(EFER, rdmsr(EFER) & ~(u64)EFER_NXE);
    frames[1][0] = 0x11;
}

void pae(void) {
    if (!cpu_has(CPU_PAE)) return skip("PAE paging", "PAE");
    build();
    pages();
    reserved();
    no_execute();
    write_cr0(read_cr0() & ~CR0_PG);
    write_cr4(read_cr4() & ~CR4_PAE);
}
