/* Two-level 4 KiB paging over the first 16 MiB, identity-mapped (SDM 3A 4.3). */
#pragma once
#include "types.h"

enum { PTE_P = 0x1, PTE_W = 0x2, PTE_U = 0x4, PTE_PWT = 0x8, PTE_PCD = 0x10, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80,
       PTE_G = 0x100 };
enum { PAGE = 4096, MAPPED = 16 << 20 };

extern u32 page_directory[1024];

/* Page fault error code (SDM 3A 4.7). */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_RESERVED = 8, PF_FETCH = 16 };

/* Rebuilds the identity map (present, writable, user) and switches paging on with CR0.WP clear. */
void paging_on(void);
void paging_off(void);
/* The page table entry of `linear`, which is below MAPPED. */
u32 *pte(u32 linear);
/* Sets it and flushes the linear address. */
void set_pte(u32 linear, u32 value);
/* Maps `linear` to itself again. */
void reset_pte(u32 linear);
