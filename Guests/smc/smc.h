#pragma once
#include "guest.h"
#include "paging.h"

void patches(void);
void copies(void);
void mappings(void);
void modes(void);

/* Room for code, page-aligned: four pages. */
extern u8 arena[4 * PAGE];

/* MOV EAX, value; RET at `at`: six bytes. */
void write_return(u8 *at, u32 value);
u32 call(const void *code);
