#pragma once
#include "guest.h"

void entry(void);
void sensitive(void);
void segments(void);
void monitor(void);

/* The task lives in the segment 0x1000, its data in 0x2000, its stack in 0x3000. */
enum { CODE = 0x1000, DATA = 0x2000, STACK = 0x3000, STACK_TOP = 0x800 };
#define LINEAR(segment, offset) ((volatile u8 *)((segment) * 16 + (offset)))

/* 16-bit code with a name and a length; it ends with HLT, which traps whatever IOPL is. */
#define V86(name, code)                                          \
    extern const u8 name[], name##_end[];                        \
    asm(".pushsection .text\n.code16\n" #name ":\n" code "\nhlt\n" #name "_end:\n.code32\n.popsection")

/* Copies the code to CODE:0 and runs it there with the given EFLAGS (VM is added) until something traps. */
void run_code(const u8 *begin, const u8 *end, u32 eflags);
#define run(name, eflags) run_code(name, name##_end, eflags)
#define IOPL(n) ((n) << 12)

/* The trap was `vector` at CODE:ip. */
void check_at(const char *name, u32 vector, u32 error, u32 ip);
