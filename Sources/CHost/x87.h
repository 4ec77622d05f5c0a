/* The host's x87 unit as an arithmetic unit: each function runs one x87 instruction on operands in memory, under the
 * control word it is given, and returns the status word the instruction left.
 *
 * Between calls the host's unit is as compilers and libraries expect it: control word 0x37F, empty stack. Inside, the
 * guest's own exception masks are in force, so that the responses to unmasked overflow and underflow are the host's
 * too. An unmasked exception is only signalled by the next waiting instruction (SDM 1 8.7), which is never reached:
 * FNCLEX comes first.
 *
 * The host's sticky exception flags may be dirty on entry, but under the host's own control word, where the guest has all
 * exceptions masked, they are the guest's (see `ring3_x87_settle`). Elsewhere `stale` says which would be mistaken for the
 * guest's. It matters for speed: on the cores measured FNCLEX takes 10 ns, and an inexact result 60 ns when PE is
 * clear, next to 6 ns for a whole addition when it is set already.
 */
#ifndef RING3_X87_H
#define RING3_X87_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)

/* Operands are arrays of bytes because nothing is known about their alignment, and bytes may alias anything. */
typedef struct { unsigned char bytes[10]; } ring3_x87_ten;
typedef struct { unsigned char bytes[8]; } ring3_x87_eight;
typedef struct { unsigned char bytes[4]; } ring3_x87_four;
typedef struct { unsigned char bytes[2]; } ring3_x87_two;

static const uint16_t ring3_x87_host_control = 0x37F;

#define RING3_X87_ENTER                                                                                               \
    "fnstsw %w[sw]\n\ttestb %b[stale], %b[sw]\n\tjz 1f\n\tfnclex\n1:\tfldcw %[cw]\n\t"
/* Bit 7 is ES: an unmasked exception is pending and must not meet a waiting instruction. */
#define RING3_X87_REPORT "\n\tfnstsw %w[sw]\n\ttestb %b[sw], %b[sw]\n\tjns 2f\n\tfnclex\n2:\t"
#define RING3_X87_LEAVE "\n\tfldcw %[host]"
/* Under the host's own control word there is nothing to load, with everything masked nothing can be pending, and flags
 * are not stale: see `ring3_x87_settle`. */
#define RING3_X87_ENTER_AS_IS ""
#define RING3_X87_REPORT_AS_IS "\n\tfnstsw %w[sw]\n\t"
#define RING3_X87_COMMON [cw] "m"(cw), [host] "m"(ring3_x87_host_control), [stale] "q"(stale)
#define RING3_X87_CLOBBERS "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"

/* Clears the host's flags: before a run, and whenever the guest's flags may have been cleared. In between they are among
 * the guest's, because every operation's are recorded there. */
static inline void ring3_x87_settle(void) { __asm__ volatile("fnclex" : : : "memory"); }

/* a = a op b, both extended. The arithmetic instructions are numbered as in the reg field of D8 and its kin; 2 compares,
 * leaving a alone, and 8 compares unordered. */
static inline uint16_t ring3_x87_arithmetic(int op, void *a, const void *b, uint16_t cw, uint8_t stale) {
    uint16_t sw = 0;
#define RUN_WITH(name, enter, report, leave)                                                                          \
    __asm__ volatile(enter "fldt %[b]\n\tfldt %[a]\n\t" name report "fstpt %[a]\n\tfstp %%st(0)" leave                \
                     : [sw] "=&a"(sw), [a] "+m"(*(ring3_x87_ten *)a)                                                  \
                     : [b] "m"(*(const ring3_x87_ten *)b), RING3_X87_COMMON                                           \
                     : RING3_X87_CLOBBERS)
#define RUN(name)                                                                                                     \
    if (cw == 0x37F) RUN_WITH(name, RING3_X87_ENTER_AS_IS, RING3_X87_REPORT_AS_IS, "");                               \
    else RUN_WITH(name, RING3_X87_ENTER, RING3_X87_REPORT, RING3_X87_LEAVE)
    switch (op) {
    case 0: RUN("fadd %%st(1), %%st"); break;
    case 1: RUN("fmul %%st(1), %%st"); break;
    case 2: RUN("fcom %%st(1)"); break;
    case 4: RUN("fsub %%st(1), %%st"); break;
    case 5: RUN("fsubr %%st(1), %%st"); break;
    case 6: RUN("fdiv %%st(1), %%st"); break;
    case 7: RUN("fdivr %%st(1), %%st"); break;
    case 8: RUN("fucom %%st(1)"); break;
    }
#undef RUN
#undef RUN_WITH
    return sw;
}

/* a = a op m for the four memory formats: single and double precision, 16- and 32-bit integers. */
#define RING3_X87_MEMORY_RUN_WITH(name, type, enter, report, leave)                                                   \
    __asm__ volatile(enter "fldt %[a]\n\t" name " %[m]" report "fstpt %[a]" leave                                     \
                     : [sw] "=&a"(sw), [a] "+m"(*(ring3_x87_ten *)a)                                                  \
                     : [m] "m"(*(const type *)m), RING3_X87_COMMON                                                    \
                     : RING3_X87_CLOBBERS)
#define RING3_X87_MEMORY_RUN(name, type)                                                                              \
    if (cw == 0x37F) RING3_X87_MEMORY_RUN_WITH(name, type, RING3_X87_ENTER_AS_IS, RING3_X87_REPORT_AS_IS, "");        \
    else RING3_X87_MEMORY_RUN_WITH(name, type, RING3_X87_ENTER, RING3_X87_REPORT, RING3_X87_LEAVE)
#define RING3_X87_MEMORY_ARITHMETIC(function, prefix, suffix, type)                                                   \
    static inline uint16_t function(int op, void *a, const void *m, uint16_t cw, uint8_t stale) {                     \
        uint16_t sw = 0;                                                                                              \
        switch (op) {                                                                                                 \
        case 0: RING3_X87_MEMORY_RUN(prefix "add" suffix, type); break;                                               \
        case 1: RING3_X87_MEMORY_RUN(prefix "mul" suffix, type); break;                                               \
        case 2: RING3_X87_MEMORY_RUN(prefix "com" suffix, type); break;                                               \
        case 4: RING3_X87_MEMORY_RUN(prefix "sub" suffix, type); break;                                               \
        case 5: RING3_X87_MEMORY_RUN(prefix "subr" suffix, type); break;                                              \
        case 6: RING3_X87_MEMORY_RUN(prefix "div" suffix, type); break;                                               \
        case 7: RING3_X87_MEMORY_RUN(prefix "divr" suffix, type); break;                                              \
        }                                                                                                             \
        return sw;                                                                                                    \
    }
RING3_X87_MEMORY_ARITHMETIC(ring3_x87_arithmetic_single, "f", "s", ring3_x87_four)
RING3_X87_MEMORY_ARITHMETIC(ring3_x87_arithmetic_double, "f", "l", ring3_x87_eight)
RING3_X87_MEMORY_ARITHMETIC(ring3_x87_arithmetic_int16, "fi", "s", ring3_x87_two)
RING3_X87_MEMORY_ARITHMETIC(ring3_x87_arithmetic_int32, "fi", "l", ring3_x87_four)

/* Loads: *result = the value at m. All exceptions must be masked in `cw`: unmasked, FLD might not push. */
#define RING3_X87_LOAD(function, name, type)                                                                          \
    static inline uint16_t function(void *result, const void *m, uint16_t cw, uint8_t stale) {                        \
        uint16_t sw;                                                                                                  \
        if (cw == 0x37F)                                                                                              \
            __asm__ volatile(RING3_X87_ENTER_AS_IS name " %[m]" RING3_X87_REPORT_AS_IS "fstpt %[result]"              \
                             : [sw] "=&a"(sw), [result] "=m"(*(ring3_x87_ten *)result)                                \
                             : [m] "m"(*(const type *)m), RING3_X87_COMMON                                            \
                             : RING3_X87_CLOBBERS);                                                                   \
        else                                                                                                          \
            __asm__ volatile(RING3_X87_ENTER name " %[m]" RING3_X87_REPORT "fstpt %[result]" RING3_X87_LEAVE          \
                             : [sw] "=&a"(sw), [result] "=m"(*(ring3_x87_ten *)result)                                \
                             : [m] "m"(*(const type *)m), RING3_X87_COMMON                                            \
                             : RING3_X87_CLOBBERS);                                                                   \
        return sw;                                                                                                    \
    }
RING3_X87_LOAD(ring3_x87_load_single, "flds", ring3_x87_four)
RING3_X87_LOAD(ring3_x87_load_double, "fldl", ring3_x87_eight)
RING3_X87_LOAD(ring3_x87_load_int16, "filds", ring3_x87_two)
RING3_X87_LOAD(ring3_x87_load_int32, "fildl", ring3_x87_four)
RING3_X87_LOAD(ring3_x87_load_int64, "fildll", ring3_x87_eight)
RING3_X87_LOAD(ring3_x87_load_bcd, "fbld", ring3_x87_ten)

/* Stores: the value a, converted, to m, which stays as it is if an unmasked exception prevents the store. */
#define RING3_X87_STORE(function, name, type, pop)                                                                    \
    static inline uint16_t function(const void *a, void *m, uint16_t cw, uint8_t stale) {                             \
        uint16_t sw;                                                                                                  \
        if (cw == 0x37F)                                                                                              \
            __asm__ volatile(RING3_X87_ENTER_AS_IS "fldt %[a]\n\t" name " %[m]" RING3_X87_REPORT_AS_IS pop            \
                             : [sw] "=&a"(sw), [m] "+m"(*(type *)m)                                                   \
                             : [a] "m"(*(const ring3_x87_ten *)a), RING3_X87_COMMON                                   \
                             : RING3_X87_CLOBBERS);                                                                   \
        else                                                                                                          \
            __asm__ volatile(RING3_X87_ENTER "fldt %[a]\n\t" name " %[m]" RING3_X87_REPORT pop RING3_X87_LEAVE        \
                             : [sw] "=&a"(sw), [m] "+m"(*(type *)m)                                                   \
                             : [a] "m"(*(const ring3_x87_ten *)a), RING3_X87_COMMON                                   \
                             : RING3_X87_CLOBBERS);                                                                   \
        return sw;                                                                                                    \
    }
/* FISTP m64 and FBSTP pop, but not when an unmasked exception prevents it: TOP (bits 11 to 13) tells. */
#define RING3_X87_POP_UNLESS_POPPED "testb $0x38, %%ah\n\tjz 3f\n\tfstp %%st(0)\n3:"
RING3_X87_STORE(ring3_x87_store_single, "fsts", ring3_x87_four, "fstp %%st(0)")
RING3_X87_STORE(ring3_x87_store_double, "fstl", ring3_x87_eight, "fstp %%st(0)")
RING3_X87_STORE(ring3_x87_store_int16, "fists", ring3_x87_two, "fstp %%st(0)")
RING3_X87_STORE(ring3_x87_store_int32, "fistl", ring3_x87_four, "fstp %%st(0)")
RING3_X87_STORE(ring3_x87_store_int64, "fistpll", ring3_x87_eight, RING3_X87_POP_UNLESS_POPPED)
RING3_X87_STORE(ring3_x87_store_bcd, "fbstp", ring3_x87_ten, RING3_X87_POP_UNLESS_POPPED)

/* FLD1 to FLDZ, numbered as in the low bits of D9 E8 to D9 EE. */
static inline uint16_t ring3_x87_constant(int op, void *result, uint16_t cw, uint8_t stale) {
    uint16_t sw = 0;
#define RUN(name)                                                                                                     \
    __asm__ volatile(RING3_X87_ENTER name RING3_X87_REPORT "fstpt %[result]" RING3_X87_LEAVE                          \
                     : [sw] "=&a"(sw), [result] "=m"(*(ring3_x87_ten *)result)                                        \
                     : RING3_X87_COMMON                                                                               \
                     : RING3_X87_CLOBBERS)
    switch (op) {
    case 0: RUN("fld1"); break;
    case 1: RUN("fldl2t"); break;
    case 2: RUN("fldl2e"); break;
    case 3: RUN("fldpi"); break;
    case 4: RUN("fldlg2"); break;
    case 5: RUN("fldln2"); break;
    case 6: RUN("fldz"); break;
    }
#undef RUN
    return sw;
}

/* The instructions D9 F0 to D9 FF, numbered by their low four bits, on a = ST(0) and b. Where the instruction takes
 * ST(1), that is b; where it pops, the result is in b; where it pushes, b receives what it pushed. */
static inline uint16_t ring3_x87_function(int op, void *a, void *b, uint16_t cw, uint8_t stale) {
    uint16_t sw = 0;
#define RUN(load, name, store)                                                                                        \
    __asm__ volatile(RING3_X87_ENTER load "fldt %[a]\n\t" name RING3_X87_REPORT store RING3_X87_LEAVE                 \
                     : [sw] "=&a"(sw), [a] "+m"(*(ring3_x87_ten *)a), [b] "+m"(*(ring3_x87_ten *)b)                   \
                     : RING3_X87_COMMON                                                                               \
                     : RING3_X87_CLOBBERS)
#define UNARY(name) RUN("", name, "fstpt %[a]")
#define BINARY(name) RUN("fldt %[b]\n\t", name, "fstpt %[a]\n\tfstp %%st(0)")
/* Bit 11 is the low bit of TOP: 7 if one value is left on the stack, 6 if there are two. */
#define POPPING(name) RUN("fldt %[b]\n\t", name, "testb $8, %%ah\n\tjnz 3f\n\tfstp %%st(0)\n3:\tfstpt %[b]")
#define PUSHING(name) RUN("", name, "testb $8, %%ah\n\tjnz 3f\n\tfstpt %[b]\n3:\tfstpt %[a]")
    switch (op) {
    case 0x0: UNARY("f2xm1"); break;
    case 0x1: POPPING("fyl2x"); break;
    case 0x2: PUSHING("fptan"); break;
    case 0x3: POPPING("fpatan"); break;
    case 0x4: PUSHING("fxtract"); break;
    case 0x5: BINARY("fprem1"); break;
    case 0x8: BINARY("fprem"); break;
    case 0x9: POPPING("fyl2xp1"); break;
    case 0xA: UNARY("fsqrt"); break;
    case 0xB: PUSHING("fsincos"); break;
    case 0xC: UNARY("frndint"); break;
    case 0xD: BINARY("fscale"); break;
    case 0xE: UNARY("fsin"); break;
    case 0xF: UNARY("fcos"); break;
    }
#undef RUN
#undef UNARY
#undef BINARY
#undef POPPING
#undef PUSHING
    return sw;
}

#endif
#endif
