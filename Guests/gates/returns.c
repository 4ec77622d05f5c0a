/* Far RET and IRET to outer rings: what they load, clear and refuse (SDM 2B "RET", 2A "IRET", 3A 5.8.6). */
#include "gates.h"

enum { SEGMENT = SPARE(0), CONFORMING = SPARE(1) };

/* Frames are built on the user stack, with room below for a fault in ring 0. */
static u32 *frame(void) { return (u32 *)(user_stack_top - 256); }
static u8 outer_stack[256];
#define OUTER_TOP ((u32)outer_stack + 128)

static void far_return(u32 cs, u32 ss) {
    u32 *f = frame();
    f[0] = (u32)report, f[1] = cs, f[2] = 0x111, f[3] = 0x222; /* two parameters to discard */
    f[4] = OUTER_TOP, f[5] = ss;
    probe("movl %0, %%esp; lret $8", : "r"(f));
}

static void interrupt_return(u32 eflags, u32 cs, u32 ss) {
    u32 *f = frame();
    f[0] = (u32)report, f[1] = cs, f[2] = eflags, f[3] = OUTER_TOP, f[4] = ss;
    probe("movl %0, %%esp; iretl", : "r"(f));
}

static void outward(void) {
    for (u32 ring = 1; ring < 4; ring++) {
        char name[64];
        far_return(code_of[ring], data_of[ring]);
        format(name, "RET to ring %u: CS", ring);
        check(name, trap.cs, code_of[ring]);
        format(name, "RET to ring %u: SS", ring);
        check(name, trap.ss, data_of[ring]);
        format(name, "RET n to ring %u drops n bytes of both stacks", ring);
        check(name, trap.esp, OUTER_TOP + 8);
        interrupt_return(EFLAGS_CF | EFLAGS_OF | 2, code_of[ring], data_of[ring]);
        format(name, "IRET to ring %u: CS", ring);
        check(name, trap.cs, code_of[ring]);
        format(name, "IRET to ring %u: ESP", ring);
        check(name, trap.esp, OUTER_TOP);
        format(name, "IRET to ring %u: flags", ring);
        check(name, trap.eflags, EFLAGS_CF | EFLAGS_OF | 2);
    }
    u32 *f = frame(), before = (u32)f;
    f[0] = (u32)report, f[1] = KERNEL_CS, f[2] = EFLAGS_ZF | 2;
    probe("movl %0, %%esp; iretl", : "r"(f));
    check("IRET within ring 0 pops three words", trap.esp - before, 12);
    check("IRET within ring 0: flags", trap.eflags, EFLAGS_ZF | 2);
    interrupt_return(EFLAGS_IF | EFLAGS_IOPL | EFLAGS_AC | 2, USER_CS, USER_DS);
    check("IRET in ring 0 may set IF, IOPL and AC", trap.eflags, EFLAGS_IF | EFLAGS_IOPL | EFLAGS_AC | 2);
}

/* Data segments the outer ring may not use are made null. */
static void cleared_segments(void) {
    set_gdt(CONFORMING, descriptor(0, 0xFFFFF, CODE_CONFORMING_XR, FLAT));
    for (u32 i = 0; i < 2; i++) {
        u32 *f = frame();
        f[0] = (u32)report, f[1] = USER_CS;
        if (i == 0) f[2] = OUTER_TOP, f[3] = USER_DS;
        else f[2] = 2, f[3] = OUTER_TOP, f[4] = USER_DS;
#define LOAD_ALL "movl %1, %%es; movl %2, %%fs; movl %3, %%gs; movl %0, %%esp\n\t"
        if (i == 0) {
            probe(LOAD_ALL "lret", : "r"(f), "r"(USER_DS), "r"(CONFORMING), "r"(data_of[2]));
        } else {
            probe(LOAD_ALL "iretl", : "r"(f), "r"(USER_DS), "r"(CONFORMING), "r"(data_of[2]));
        }
        const char *how = i ? "IRET" : "RET";
        char name[64];
        format(name, "%s to ring 3 clears DS of ring 0", how);
        check(name, trap.ds, 0);
        format(name, "%s to ring 3 keeps ES of ring 3", how);
        check(name, trap.es, USER_DS);
        format(name, "%s to ring 3 keeps a conforming FS", how);
        check(name, trap.fs, CONFORMING);
        format(name, "%s to ring 3 clears GS of ring 2", how);
        check(name, trap.gs, 0);
    }
}

static void refused(void) {
    static const struct { const char *name; u32 cs, ss, access, vector, error; } table[] = {
        {"#GP RET to null", 0, USER_DS, 0, GP, 0},
        {"#GP RET to a data segment", USER_DS, USER_DS, 0, GP, USER_DS & ~3},
        {"#GP RET beyond the GDT", GDT_ENTRIES * 8 | 3, USER_DS, 0, GP, GDT_ENTRIES * 8},
        {"#GP RET to ring 0 code with RPL 3", KERNEL_CS | 3, USER_DS, 0, GP, KERNEL_CS},
        {"#NP RET to code not present", SEGMENT | 3, USER_DS, (CODE_XR | DPL(3)) & ~PRESENT, NP, SEGMENT},
        {"#GP RET with SS null", USER_CS, 0, 0, GP, 0},
        {"#GP RET with SS of the wrong RPL", USER_CS, USER_DS & ~3, 0, GP, USER_DS & ~3},
        {"#GP RET with SS of the wrong DPL", USER_CS, KERNEL_DS | 3, 0, GP, KERNEL_DS},
        {"#GP RET with SS read-only", USER_CS, SEGMENT | 3, DATA_RO | DPL(3), GP, SEGMENT},
        {"#SS RET with SS not present", USER_CS, SEGMENT | 3, (DATA_RW | DPL(3)) & ~PRESENT, SS, SEGMENT},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        char name[64];
        set_gdt(SEGMENT, descriptor(0, 0xFFFFF, table[i].access, FLAT));
        far_return(table[i].cs, table[i].ss);
        check_trap(table[i].name, table[i].vector, table[i].error, 2);
        if (table[i].vector == SS) continue; /* for IRET, the manual says both #SS and #NP */
        format(name, "%s: likewise IRET", table[i].name);
        interrupt_return(2, table[i].cs, table[i].ss);
        check_trap(name, table[i].vector, table[i].error, 2);
    }
    enter_from(3);
    probe_outer("pushl %0; pushl %1; lret", : "r"(KERNEL_CS), "r"(report));
    check_trap("#GP RET to an inner ring", GP, KERNEL_CS, 2);
    probe_outer("pushl $2; pushl %0; pushl %1; iretl", : "r"(KERNEL_CS), "r"(report));
    check_trap("#GP IRET to an inner ring", GP, KERNEL_CS, 4);
    check("#GP IRET to an inner ring leaves ESP alone", trap.esp, outer_esp - 12);
    set_gdt(SEGMENT, descriptor(0, 0xFF, CODE_XR | DPL(3), BIG));
    far_return(SEGMENT | 3, USER_DS);
    check_trap("#GP RET beyond the code segment's limit", GP, 0, 2);
}

/* IRET in ring 3 leaves IF and IOPL alone, silently. */
static void unprivileged(void) {
    static struct { u32 eip, cs, eflags; } f;
    enter_from(3);
    f.eip = (u32)report, f.cs = USER_CS, f.eflags = EFLAGS_IF | EFLAGS_IOPL | EFLAGS_SF | EFLAGS_DF | 2;
    probe_outer("movl %0, %%esp; iretl", : "r"(&f));
    check("IRET in ring 3 cannot set IF or IOPL", trap.eflags, EFLAGS_SF | EFLAGS_DF | 2);
    outer_eflags = EFLAGS_IOPL | 2;
    probe_outer("movl %0, %%esp; iretl", : "r"(&f));
    check("IRET in ring 3 with IOPL 3 sets IF, not IOPL", trap.eflags, EFLAGS_IF | EFLAGS_IOPL | EFLAGS_SF | EFLAGS_DF | 2);
    f.eflags = 2;
    probe_outer("movl %0, %%esp; iretl", : "r"(&f));
    check("IRET in ring 3 with IOPL 3 cannot lower IOPL", trap.eflags, EFLAGS_IOPL | 2);
    ring_reset();
}

/* IRETW pops words and leaves the upper half of EFLAGS alone; code within 64 KiB of its base. */
static void narrow(void) {
    set_gdt(SEGMENT, descriptor((u32)report, 0xFFFF, CODE_XR, BIG));
    u16 *f = (u16 *)frame();
    f[0] = 0, f[1] = SEGMENT, f[2] = EFLAGS_CF | 2;
    probe("pushl %1; popfl; movl %0, %%esp; iretw", : "r"(f), "r"(EFLAGS_AC | 2));
    check("IRETW: CS", trap.cs, SEGMENT);
    check("IRETW: EIP", trap.eip, 2);
    check("IRETW: ESP", trap.esp - (u32)f, 6);
    check("IRETW leaves the upper half of EFLAGS alone", trap.eflags, EFLAGS_AC | EFLAGS_CF | 2);
}

void returns(void) {
    outward();
    cleared_segments();
    refused();
    unprivileged();
    narrow();
}
