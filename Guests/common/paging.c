#include "guest.h"
#include "paging.h"

u32 page_directory[1024] __attribute__((aligned(PAGE)));
static u32 page_tables[MAPPED / PAGE] __attribute__((aligned(PAGE)));

u32 *pte(u32 linear) { return &page_tables[linear / PAGE]; }

void set_pte(u32 linear, u32 value) {
    *(volatile u32 *)pte(linear) = value;
    invlpg(linear);
}

void reset_pte(u32 linear) { set_pte(linear, (linear & ~(PAGE - 1)) | PTE_P | PTE_W | PTE_U); }

void paging_on(void) {
    for (u32 i = 0; i < length_of(page_tables); i++) page_tables[i] = i * PAGE | PTE_P | PTE_W | PTE_U;
    for (u32 i = 0; i < length_of(page_directory); i++) {
        bool mapped = i < length_of(page_tables) / 1024;
        page_directory[i] = mapped ? (u32)&page_tables[i * 1024] | PTE_P | PTE_W | PTE_U : 0;
    }
    write_cr3((u32)page_directory);
    write_cr0((read_cr0() & ~CR0_WP) | CR0_PG);
}

void paging_off(void) { write_cr0(read_cr0() & ~(CR0_PG | CR0_WP)); }
