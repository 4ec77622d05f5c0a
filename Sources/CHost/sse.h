/* The host's SSE unit as an arithmetic unit: each function runs one SSE or SSE2 instruction on operands in memory,
 * under the MXCSR it is given, and returns the exception flags it left there: those that it raised, and those that were
 * set.
 *
 * The MXCSR given has all exceptions masked, so nothing traps. Between calls the host's is as compilers and libraries
 * expect it, 0x1F80, but with the guest's precision flag, at which nobody looks. It matters for speed: on the cores
 * measured an operation takes 10 ns if flags stay as they are throughout, 30 ns if they change and change back, and
 * 300 ns if the host's are saved before and restored afterwards.
 */
#ifndef RING3_SSE_H
#define RING3_SSE_H

#include <stdint.h>

#include "x87.h"

#if defined(__x86_64__)

/* Arrays of bytes, for the reasons that x87.h gives. */
typedef struct { unsigned char bytes[16]; } ring3_sse_sixteen;

/* The host's control between calls: as compilers expect it, with the precision flag as it is in `mxcsr`. */
static inline void ring3_sse_settle(uint32_t mxcsr) {
    uint32_t host = 0x1F80 | (mxcsr & 0x20);
    __asm__ volatile("ldmxcsr %0" : : "m"(host));
}

/* `name` %xmm1, %xmm0, where %xmm0 is d, the destination, and %xmm1 is s, the source. */
#define RING3_SSE_RUN(name)                                                                                           \
    __asm__ volatile("ldmxcsr %[mxcsr]\n\tmovups %[d], %%xmm0\n\tmovups %[s], %%xmm1\n\t"                             \
                     name " %%xmm1, %%xmm0\n\tmovups %%xmm0, %[d]\n\tstmxcsr %[mxcsr]"                                \
                     : [d] "+m"(*(ring3_sse_sixteen *)d), [mxcsr] "+m"(mxcsr)                                         \
                     : [s] "m"(*(const ring3_sse_sixteen *)s)                                                         \
                     : "xmm0", "xmm1")
#define RING3_SSE_FLAGS (ring3_sse_settle(mxcsr), mxcsr & 0x3F)

/* The four formats, each by RUN: packed single, packed double, scalar single, scalar double. */
#define RING3_SSE_FORMATS(RUN, number, name)                                                                          \
    case (number) * 4 + 0: RUN(name "ps"); break;                                                                     \
    case (number) * 4 + 1: RUN(name "pd"); break;                                                                     \
    case (number) * 4 + 2: RUN(name "ss"); break;                                                                     \
    case (number) * 4 + 3: RUN(name "sd"); break;

/* Arithmetic, each operation by RUN: as in the low four bits of opcodes 0F 51 to 0F 5F. */
#define RING3_SSE_ARITHMETIC(RUN)                                                                                     \
    RING3_SSE_FORMATS(RUN, 0x1, "sqrt")                                                                               \
    case 0x2 * 4 + 0: RUN("rsqrtps"); break;                                                                          \
    case 0x2 * 4 + 2: RUN("rsqrtss"); break;                                                                          \
    case 0x3 * 4 + 0: RUN("rcpps"); break;                                                                            \
    case 0x3 * 4 + 2: RUN("rcpss"); break;                                                                            \
    RING3_SSE_FORMATS(RUN, 0x8, "add")                                                                                \
    RING3_SSE_FORMATS(RUN, 0x9, "mul")                                                                                \
    RING3_SSE_FORMATS(RUN, 0xC, "sub")                                                                                \
    RING3_SSE_FORMATS(RUN, 0xD, "min")                                                                                \
    RING3_SSE_FORMATS(RUN, 0xE, "div")                                                                                \
    RING3_SSE_FORMATS(RUN, 0xF, "max")

/* d = d op s, or op s, under the host's own control, which nothing has to load: for guests whose MXCSR is the same but for
 * flags, PE being settled. Returns the flags raised, and PE if it was set. `which` is op * 4 + format; operations are
 * numbered as in the low four bits of opcodes 0F 51 to 0F 5F. */
static inline uint32_t ring3_sse_arithmetic_as_is(int which, void *d, const void *s) {
    uint32_t mxcsr = 0;
#define RUN(name)                                                                                                     \
    __asm__ volatile("movups %[d], %%xmm0\n\tmovups %[s], %%xmm1\n\t" name                                           \
                     " %%xmm1, %%xmm0\n\tmovups %%xmm0, %[d]\n\tstmxcsr %[mxcsr]"                                    \
                     : [d] "+m"(*(ring3_sse_sixteen *)d), [mxcsr] "=m"(mxcsr)                                         \
                     : [s] "m"(*(const ring3_sse_sixteen *)s)                                                         \
                     : "xmm0", "xmm1")
    switch (which) { RING3_SSE_ARITHMETIC(RUN) }
#undef RUN
    if (mxcsr & 0x1F) ring3_sse_settle(mxcsr);
    return mxcsr & 0x3F;
}

/* The same under any control, which is loaded and taken out again. */
static inline uint32_t ring3_sse_arithmetic(int op, int format, void *d, const void *s, uint32_t mxcsr) {
    switch (op * 4 + format) { RING3_SSE_ARITHMETIC(RING3_SSE_RUN) }
    return RING3_SSE_FLAGS;
}

/* d = d compared with s: all ones where the predicate holds. Predicates are numbered as in the immediate. */
static inline uint32_t ring3_sse_compare(int predicate, int format, void *d, const void *s, uint32_t mxcsr) {
    switch (predicate * 4 + format) {
    RING3_SSE_FORMATS(RING3_SSE_RUN, 0, "cmpeq")
    RING3_SSE_FORMATS(RING3_SSE_RUN, 1, "cmplt")
    RING3_SSE_FORMATS(RING3_SSE_RUN, 2, "cmple")
    RING3_SSE_FORMATS(RING3_SSE_RUN, 3, "cmpunord")
    RING3_SSE_FORMATS(RING3_SSE_RUN, 4, "cmpneq")
    RING3_SSE_FORMATS(RING3_SSE_RUN, 5, "cmpnlt")
    RING3_SSE_FORMATS(RING3_SSE_RUN, 6, "cmpnle")
    RING3_SSE_FORMATS(RING3_SSE_RUN, 7, "cmpord")
    }
    return RING3_SSE_FLAGS;
}

/* d = s converted, all lanes of it. */
enum ring3_sse_conversion {
    ring3_sse_dq2ps, ring3_sse_ps2dq, ring3_sse_tps2dq, ring3_sse_dq2pd, ring3_sse_pd2dq, ring3_sse_tpd2dq,
    ring3_sse_ps2pd, ring3_sse_pd2ps
};
static inline uint32_t ring3_sse_convert(enum ring3_sse_conversion which, void *d, const void *s, uint32_t mxcsr) {
    switch (which) {
    case ring3_sse_dq2ps: RING3_SSE_RUN("cvtdq2ps"); break;
    case ring3_sse_ps2dq: RING3_SSE_RUN("cvtps2dq"); break;
    case ring3_sse_tps2dq: RING3_SSE_RUN("cvttps2dq"); break;
    case ring3_sse_dq2pd: RING3_SSE_RUN("cvtdq2pd"); break;
    case ring3_sse_pd2dq: RING3_SSE_RUN("cvtpd2dq"); break;
    case ring3_sse_tpd2dq: RING3_SSE_RUN("cvttpd2dq"); break;
    case ring3_sse_ps2pd: RING3_SSE_RUN("cvtps2pd"); break;
    case ring3_sse_pd2ps: RING3_SSE_RUN("cvtpd2ps"); break;
    }
    return RING3_SSE_FLAGS;
}

/* Compares the lowest lanes of a and b; *eflags receives ZF, PF and CF, in their places. `quiet` as UCOMISS has it. */
static inline uint32_t ring3_sse_compare_flags(
    int quiet, int is_double, const void *a, const void *b, uint32_t *eflags, uint32_t mxcsr) {
    unsigned char zf = 0, pf = 0, cf = 0;
#define RUN(name)                                                                                                     \
    __asm__ volatile("ldmxcsr %[mxcsr]\n\tmovups %[a], %%xmm0\n\tmovups %[b], %%xmm1\n\t"                             \
                     name " %%xmm1, %%xmm0\n\tstmxcsr %[mxcsr]"                                                        \
                     : [mxcsr] "+m"(mxcsr), "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf)                                     \
                     : [a] "m"(*(const ring3_sse_sixteen *)a), [b] "m"(*(const ring3_sse_sixteen *)b)                 \
                     : "xmm0", "xmm1")
    if (is_double) {
        if (quiet) RUN("ucomisd"); else RUN("comisd");
    } else {
        if (quiet) RUN("ucomiss"); else RUN("comiss");
    }
#undef RUN
    *eflags = (uint32_t)zf << 6 | (uint32_t)pf << 2 | cf;
    return RING3_SSE_FLAGS;
}

/* Whether a op b, both single or both double precision, is inexact when rounded to that precision (or, with
 * `to_single`, to single) but to no limit of the exponent. That is what the x87 unit does under precision control
 * (SDM 1 8.1.5.2). Operations are numbered as in the reg field of opcode D8; `rounding` is the RC field. */
static inline int ring3_sse_is_inexact(
    int op, int is_double, int to_single, const void *a, const void *b, uint32_t rounding) {
    unsigned char x[10], y[10];
    uint16_t (*load)(void *, const void *, uint16_t, uint8_t) =
        is_double ? ring3_x87_load_double : ring3_x87_load_single;
    load(x, a, ring3_x87_host_control, 0x3F);
    load(y, b, ring3_x87_host_control, 0);
    uint16_t control = (uint16_t)(0x3F | (is_double && !to_single ? 0x200 : 0) | rounding << 10);
    int is_inexact = ring3_x87_arithmetic(op, x, y, control, 0x3F) >> 5 & 1;
    ring3_x87_settle();
    return is_inexact;
}

#endif
#endif
