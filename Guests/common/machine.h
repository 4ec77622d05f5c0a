/* One function an instruction that C cannot express. */
#pragma once
#include "types.h"

static inline void outb(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outl(u16 port, u32 value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 v; asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }

#define CONTROL_REGISTER(n)                                                                               \
    static inline u32 read_cr##n(void) { u32 v; asm volatile("movl %%cr" #n ", %0" : "=r"(v)); return v; }   \
    static inline void write_cr##n(u32 v) { asm volatile("movl %0, %%cr" #n : : "r"(v) : "memory"); }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

#define DEBUG_REGISTER(n)                                                                                 \
    static inline u32 read_dr##n(void) { u32 v; asm volatile("movl %%dr" #n ", %0" : "=r"(v)); return v; }   \
    static inline void write_dr##n(u32 v) { asm volatile("movl %0, %%dr" #n : : "r"(v)); }
DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(2)
DEBUG_REGISTER(3)
DEBUG_REGISTER(6)
DEBUG_REGISTER(7)

static inline u32 read_eflags(void) { u32 v; asm volatile("pushfl; popl %0" : "=r"(v)); return v; }
static inline void write_eflags(u32 v) { asm volatile("pushl %0; popfl" : : "r"(v) : "cc", "memory"); }
static inline void invlpg(u32 linear) { asm volatile("invlpg (%0)" : : "r"(linear) : "memory"); }
static inline void barrier(void) { asm volatile("" : : : "memory"); }

static inline u64 rdmsr(u32 msr) { u64 v; asm volatile("rdmsr" : "=A"(v) : "c"(msr)); return v; }
static inline void wrmsr(u32 msr, u64 v) { asm volatile("wrmsr" : : "A"(v), "c"(msr) : "memory"); }

struct cpuid { u32 eax, ebx, ecx, edx; };
static inline struct cpuid cpuid(u32 leaf) {
    struct cpuid r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}
/* Bit of CPUID.1:EDX (SDM 2A "CPUID", table 3-11). */
static inline bool cpu_has(u32 bit) { return cpuid(1).edx >> bit & 1; }
enum { CPU_FPU = 0, CPU_VME = 1, CPU_DE = 2, CPU_PSE = 3, CPU_TSC = 4, CPU_MSR = 5, CPU_PAE = 6, CPU_CX8 = 8,
       CPU_SEP = 11, CPU_PGE = 13, CPU_CMOV = 15, CPU_FXSR = 24, CPU_SSE = 25 };

#define EFLAGS_CF 0x1u
#define EFLAGS_PF 0x4u
#define EFLAGS_AF 0x10u
#define EFLAGS_ZF 0x40u
#define EFLAGS_SF 0x80u
#define EFLAGS_TF 0x100u
#define EFLAGS_IF 0x200u
#define EFLAGS_DF 0x400u
#define EFLAGS_OF 0x800u
#define EFLAGS_IOPL 0x3000u
#define EFLAGS_NT 0x4000u
#define EFLAGS_RF 0x10000u
#define EFLAGS_VM 0x20000u
#define EFLAGS_AC 0x40000u
#define EFLAGS_STATUS (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | EFLAGS_SF | EFLAGS_OF)

#define CR0_PE 0x1u
#define CR0_MP 0x2u
#define CR0_EM 0x4u
#define CR0_TS 0x8u
#define CR0_ET 0x10u
#define CR0_NE 0x20u
#define CR0_WP 0x10000u
#define CR0_AM 0x40000u
#define CR0_PG 0x80000000u

#define CR4_VME 0x1u
#define CR4_PVI 0x2u
#define CR4_TSD 0x4u
#define CR4_DE 0x8u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_PGE 0x80u
#define CR4_OSFXSR 0x200u
