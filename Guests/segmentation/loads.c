/* What may be loaded into a segment register: every type, DPL, RPL and presence, from ring 0 and ring 3. */
#include "segmentation.h"

static bool is_code(u32 access) { return access & 8; }
static bool readable(u32 access) { return !is_code(access) || access & 2; }
static bool conforming(u32 access) { return is_code(access) && access & 4; }

enum { SELECTOR = SPARE(0) };

/* The vector of loading DS, ES, FS or GS (SDM 3A 5.6, 2B "MOV"). */
static u32 expected_data(u32 access, u32 rpl, u32 cpl) {
    u32 dpl = access >> 5 & 3;
    if (!(access & 0x10) || !readable(access)) return GP;
    if (!conforming(access) && (rpl > dpl || cpl > dpl)) return GP;
    return access & PRESENT ? NO_TRAP : NP;
}

/* The vector of loading SS (SDM 3A 5.7). */
static u32 expected_stack(u32 access, u32 rpl, u32 cpl) {
    u32 dpl = access >> 5 & 3;
    if (!(access & 0x10) || is_code(access) || !(access & 2)) return GP;
    if (rpl != cpl || dpl != cpl) return GP;
    return access & PRESENT ? NO_TRAP : SS;
}

#define LOAD(ring0, ring3, reg, selector)                                      \
    if (cpl == 0) {                                                            \
        probe("movl %%eax, %%" #reg "\n\t" ring0, : "a"(selector) : "ecx");    \
    } else {                                                                   \
        probe_outer("movl %%eax, %%" #reg "\n\t" ring3, : "a"(selector));      \
    }

/* All 32 types (with S = 0 and 1) x DPL x RPL x present, one check a register and ring. A failed load must name the selector
 * and leave the accessed bit alone; a good one must set it. */
#define LOAD_ALL(reg, expected, undo)                                                                  \
    static void load_all_##reg(u32 cpl) {                                                              \
        struct tally t = {0};                                                                          \
        for (u32 access = 0; access < 256; access++)                                                   \
            for (u32 rpl = 0; rpl < 4; rpl++) {                                                        \
                set_gdt(SELECTOR, descriptor(0, 0xFFFFF, access, FLAT));                               \
                LOAD(undo, "", reg, SELECTOR | rpl);                                                   \
                u32 want = expected(access, rpl, cpl), got = trap.vector == REACHED ? NO_TRAP : trap.vector; \
                u32 after = (u32)(gdt[SELECTOR >> 3] >> 40) & 0xFF;                                    \
                bool right = got == want;                                                              \
                if (want == NO_TRAP) right = right && after == (access | ACCESSED);                    \
                else right = right && after == access && trap.error == SELECTOR && trap.offset == 0;   \
                char text[96], *end = format(text, "access %x RPL %u: ", access, rpl);                 \
                describe_trap(end, &trap);                                                             \
                tally(&t, right, text);                                                                \
            }                                                                                          \
        check_tally(cpl ? "every descriptor into " #reg ", ring 3" : "every descriptor into " #reg ", ring 0", &t); \
        load_segment(ds, KERNEL_DS);                                                                   \
        load_segment(es, KERNEL_DS);                                                                   \
        load_segment(fs, KERNEL_DS);                                                                   \
        load_segment(gs, KERNEL_DS);                                                                   \
    }
/* DS and SS are put back within the probe: the compiled code around it needs them. */
LOAD_ALL(ds, expected_data, "movl %%ss, %%ecx; movl %%ecx, %%ds")
LOAD_ALL(es, expected_data, "movl %%ss, %%ecx; movl %%ecx, %%es")
LOAD_ALL(fs, expected_data, "")
LOAD_ALL(gs, expected_data, "")
LOAD_ALL(ss, expected_stack, "movl %%ds, %%ecx; movl %%ecx, %%ss")

static void null_selectors(void) {
    u32 value = 0;
    for (u32 rpl = 0; rpl < 4; rpl++) {
        char name[64];
        format(name, "null selector with RPL %u into FS", rpl);
        probe("movl %1, %%fs; movl %%fs, %0", "=r"(value) : "r"(rpl));
        check_no_trap(name);
        format(name, "null selector with RPL %u into FS: read back", rpl);
        check(name, value & 0xFFFF, rpl);
        format(name, "#GP null selector with RPL %u into SS", rpl);
        probe("movl %0, %%ss", : "r"(rpl));
        check_fault(name, GP, 0);
    }
    probe("movl %0, %%fs; movl %%fs:0x1000, %%eax", : "r"(0) : "eax");
    check_trap("#GP read through a null FS", GP, 0, 2);
    probe("movl %0, %%fs; movl %%eax, %%fs:0x1000", : "r"(0));
    check_trap("#GP write through a null FS", GP, 0, 2);
    probe("movl %0, %%gs; movl %%gs:0x1000, %%eax", : "r"(3) : "eax");
    check_trap("#GP read through a null GS", GP, 0, 2);
    load_segment(es, 0);
    probe("stosb", : "D"(0x1000), "a"(0));
    check_fault("#GP STOS through a null ES", GP, 0);
    load_segment(es, KERNEL_DS);
    probe("pushl %%ds; xorl %%ecx, %%ecx; movl %%ecx, %%ds; movb (%0), %%cl; popl %%ds", : "r"(0x1000) : "ecx");
    check_trap("#GP read through a null DS", GP, 0, 5);
    load_segment(ds, KERNEL_DS);
}

/* Bits 15:0 count; the other forms of loading. */
static void other_forms(void) {
    static const u32 memory = SPARE(1) | 0xABCD0000;
    u32 value;
    set_gdt(SPARE(1), descriptor((u32)&memory, 0xFFF, DATA_RO, BIG));
    asm volatile("movl %1, %%fs; movl %%fs, %0; movl %%fs:0, %0" : "=&r"(value) : "r"(memory));
    check("MOV FS, r32 ignores the upper half", value, memory);
    asm volatile("movw %1, %%gs; movl %%gs, %0" : "=r"(value) : "m"(memory));
    check("MOV GS, m16", value & 0xFFFF, SPARE(1));
    load_segment(fs, KERNEL_DS);
    asm volatile("pushl %1; popl %%fs; movl %%fs, %0" : "=r"(value) : "r"(memory));
    check("POP FS", value & 0xFFFF, SPARE(1));
    static const struct far_pointer pointer = {0x11223344, SPARE(1)};
    load_segment(fs, KERNEL_DS);
    asm volatile("lfs %1, %0" : "=r"(value) : "m"(pointer));
    check("LFS loads the offset", value, 0x11223344);
    asm volatile("movl %%fs, %0" : "=r"(value));
    check("LFS loads the selector", value & 0xFFFF, SPARE(1));
    static const struct far_pointer bad = {0x55667788, 0xFFF8};
    value = 1;
    probe("lgs %1, %0", "+r"(value) : "m"(bad));
    check_fault("#GP LGS with a bad selector", GP, 0xFFF8);
    check("LGS with a bad selector leaves the register alone", value, 1);
    struct { u32 esp; u16 ss; } __attribute__((packed)) stack;
    u32 before, inside;
    asm volatile("movl %%esp, %1; leal -256(%%esp), %0; movl %0, %2; movw %%ss, %w3\n\t"
                 "lss %2, %%esp; movl %%esp, %0; movl %1, %%esp"
                 : "=&r"(inside), "=&r"(before), "+m"(stack.esp), "=m"(stack.ss));
    check("LSS loads ESP", before - inside, 256);
    set_gdt(SPARE(1), descriptor(0, 0xFFFFF, DATA_RW & ~PRESENT, FLAT));
    probe("pushl %0; popl %%es", : "r"(SPARE(1)));
    check_trap("#NP POP ES", NP, SPARE(1), 1);
    check("#NP POP ES leaves ESP alone", trap.esp, probe_esp - 4);
    load_segment(fs, KERNEL_DS);
    load_segment(gs, KERNEL_DS);
}

void loads(void) {
    for (u32 cpl = 0; cpl <= 3; cpl += 3) {
        load_all_ds(cpl);
        load_all_es(cpl);
        load_all_fs(cpl);
        load_all_gs(cpl);
        load_all_ss(cpl);
    }
    null_selectors();
    other_forms();
}
