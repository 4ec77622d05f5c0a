/* Descriptor tables: the flat default ones, and builders for what a guest adds (SDM 3A 3.4.5, 3.5, 5.8.3, 6.11, 7.2). */
#pragma once
#include "layout.h"
#include "types.h"

/*  63      56 55 54 53 52 51   48 47 46 45 44 43   40 39      16 15       0
 * | base 31:24| G |DB| L|AVL|limit| P | DPL | S | type | base 23:0 | limit   | */
extern u64 gdt[GDT_ENTRIES];
extern u64 idt[256];

/* Access byte: P, DPL, S and type. */
enum {
    DATA_RO = 0x90, DATA_RW = 0x92, DATA_DOWN_RO = 0x94, DATA_DOWN_RW = 0x96,
    CODE_X = 0x98, CODE_XR = 0x9A, CODE_CONFORMING_X = 0x9C, CODE_CONFORMING_XR = 0x9E,
    ACCESSED = 0x01, PRESENT = 0x80,
    LDT = 0x82, TASK_GATE = 0x85,
    TSS16 = 0x81, TSS16_BUSY = 0x83, CALL_GATE16 = 0x84, INTERRUPT_GATE16 = 0x86, TRAP_GATE16 = 0x87,
    TSS32 = 0x89, TSS32_BUSY = 0x8B, CALL_GATE32 = 0x8C, INTERRUPT_GATE32 = 0x8E, TRAP_GATE32 = 0x8F,
};
#define DPL(n) ((n) << 5)

/* Flags nibble. */
enum { BIG = 0x4, PAGES = 0x8, FLAT = BIG | PAGES };

/* A segment, LDT or TSS descriptor; `limit` is the raw 20-bit field, in pages if PAGES is set. */
u64 descriptor(u32 base, u32 limit, u32 access, u32 flags);
/* A call, interrupt or trap gate (or, with offset 0, a task gate); `parameters` is a call gate's count. */
u64 gate(u32 access, u16 selector, u32 offset, u32 parameters);

static inline void set_gdt(u16 selector, u64 value) { gdt[selector >> 3] = value; __asm__ volatile("" : : : "memory"); }
void set_idt(u32 vector, u64 value);
/* The default gate of `vector`, a 32-bit interrupt gate to the trap harness, with the given DPL. */
u64 default_gate(u32 vector, u32 dpl);

/* Operand of LGDT, LIDT, SGDT and SIDT. */
struct table_register { u16 limit; u32 base; } __attribute__((packed));
extern struct table_register gdt_descriptor, idt_descriptor;

struct tss {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, io_map;
};
extern struct tss main_tss;
