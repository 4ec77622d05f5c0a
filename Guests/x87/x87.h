#pragma once
#include "guest.h"

void formats(void);
void arithmetic(void);
void comparisons(void);
void exceptions(void);
void stack(void);
void images(void);
void transcendental(void);

/* An 80-bit register: sign and exponent, and a mantissa with its explicit one. */
struct extended { u32 low, high; u16 exponent; } __attribute__((packed));

enum { IE = 0x01, DENORMAL = 0x02, ZE = 0x04, OE = 0x08, UE = 0x10, PE = 0x20, SF = 0x40, ES = 0x80,
       C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000, CONDITIONS = C0 | C2 | C3, ERRORS = 0xFF };
enum { NEAREST = 0x037F, DOWN = 0x077F, UP = 0x0B7F, CHOP = 0x0F7F }; /* control words: all masked, 64-bit mantissas */

/* Runs `code` on a fresh FPU with control word `cw`; then ST(0) is in `result` (if it is popped there) and the status in `sw`. */
#define fpu(cw, code, result, sw, operands...)                                                          \
    do {                                                                                                \
        u16 control = cw;                                                                               \
        asm volatile("fninit; fldcw %0" : : "m"(control));                                              \
        asm volatile(code : : operands : "memory", "eax");                                              \
        asm volatile("fnstsw %0" : "=m"(sw));                                                           \
        asm volatile("fnclex; fstpt %0" : "=m"(result));                                                \
    } while (0)

void check_extended(const char *name, const struct extended *got, u16 exponent, u32 high, u32 low);
static inline u16 status(void) { u16 sw; asm volatile("fnstsw %0" : "=m"(sw)); return sw; }
static inline void control(u16 cw) { asm volatile("fldcw %0" : : "m"(cw)); }
