#pragma once
#include "guest.h"
#include "paging.h"

void rights(void);
void accessed_and_dirty(void);
void mappings(void);
void crossings(void);
void big_pages(void);
void pae(void);

/* 4 MiB of linear addresses that nothing else uses, with their own page table. */
enum { WINDOW = 12 << 20, WINDOW_PDE = WINDOW >> 22 };
/* Frames to map there; frame n holds n in every byte. */
enum { FRAMES = 4 };
extern u8 frames[FRAMES][PAGE];
#define FRAME(n) ((u32)frames[n])

void check_page_fault(const char *name, u32 error, u32 address);
