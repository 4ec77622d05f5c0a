/* Limits and rights of data segments (SDM 3A 5.3, 5.4). */
#include "segmentation.h"

static u8 arena[2 * 4096] __attribute__((aligned(4096)));

static char outcome(char allowed) {
    if (trap.vector == NO_TRAP) return allowed;
    return trap.vector == GP && trap.error == 0 && trap.offset == 2 ? '-' : '?';
}

/* Whether accesses of 1, 2 and 4 bytes at `offset` of SPARE(0) fault, as a string such as "b-- " (letters: allowed). */
static const char *reach(u32 offset) {
    static char text[4];
    probe("movl %1, %%fs; movb %%fs:(%0), %%al", : "r"(offset), "r"(SPARE(0)) : "eax");
    text[0] = outcome('b');
    probe("movl %1, %%fs; movw %%fs:(%0), %%ax", : "r"(offset), "r"(SPARE(0)) : "eax");
    text[1] = outcome('w');
    probe("movl %1, %%fs; movl %%fs:(%0), %%eax", : "r"(offset), "r"(SPARE(0)) : "eax");
    text[2] = outcome('d');
    load_segment(fs, KERNEL_DS);
    return text;
}

static void boundaries(void) {
    static const struct { const char *name; u32 limit, access, flags, offset; const char *expected; } table[] = {
        {"byte limit 0xFFF, offset 0xFFC", 0xFFF, DATA_RW, BIG, 0xFFC, "bwd"},
        {"byte limit 0xFFF, offset 0xFFD", 0xFFF, DATA_RW, BIG, 0xFFD, "bw-"},
        {"byte limit 0xFFF, offset 0xFFF", 0xFFF, DATA_RW, BIG, 0xFFF, "b--"},
        {"byte limit 0xFFF, offset 0x1000", 0xFFF, DATA_RW, BIG, 0x1000, "---"},
        {"byte limit 0, offset 0", 0, DATA_RW, BIG, 0, "b--"},
        {"page limit 0, offset 0xFFE", 0, DATA_RW, FLAT, 0xFFE, "bw-"},
        {"page limit 0, offset 0x1000", 0, DATA_RW, FLAT, 0x1000, "---"},
        {"code segment, byte limit 0xFFF, offset 0xFFE", 0xFFF, CODE_XR, BIG, 0xFFE, "bw-"},
        {"read-only, byte limit 0xFFF, offset 0xFFE", 0xFFF, DATA_RO, BIG, 0xFFE, "bw-"},
        {"expand-down limit 0xFFF, offset 0xFFF", 0xFFF, DATA_DOWN_RW, BIG, 0xFFF, "---"},
        {"expand-down limit 0xFFF, offset 0x1000", 0xFFF, DATA_DOWN_RW, BIG, 0x1000, "bwd"},
        {"expand-down limit 0xFFF, offset 0xFFD", 0xFFF, DATA_DOWN_RW, BIG, 0xFFD, "---"},
        {"expand-down limit 0xFFF, offset 0x10000", 0xFFF, DATA_DOWN_RW, BIG, 0x10000, "bwd"},
        {"expand-down 16-bit limit 0xFFF, offset 0xFFFC", 0xFFF, DATA_DOWN_RW, 0, 0xFFFC, "bwd"},
        {"expand-down 16-bit limit 0xFFF, offset 0xFFFF", 0xFFF, DATA_DOWN_RW, 0, 0xFFFF, "b--"},
        {"expand-down 16-bit limit 0xFFF, offset 0x10000", 0xFFF, DATA_DOWN_RW, 0, 0x10000, "---"},
        {"expand-down page limit 0, offset 0xFFF", 0, DATA_DOWN_RW, FLAT, 0xFFF, "---"},
        {"expand-down page limit 0, offset 0x1000", 0, DATA_DOWN_RW, FLAT, 0x1000, "bwd"},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        set_gdt(SPARE(0), descriptor((u32)arena, table[i].limit, table[i].access, table[i].flags));
        check_string(table[i].name, reach(table[i].offset), table[i].expected);
    }
}

static void rights(void) {
    set_gdt(SPARE(0), descriptor(0, 0xFFFFF, DATA_RO, FLAT));
    set_gdt(SPARE(1), descriptor(0, 0xFFFFF, CODE_X, FLAT));
    set_gdt(SPARE(2), descriptor(0, 0xFFFFF, CODE_XR, FLAT));
    probe("movl %1, %%fs; movl %%fs:(%0), %%eax", : "r"(arena), "r"(SPARE(0)) : "eax");
    check_no_trap("read of a read-only segment");
    probe("movl %1, %%fs; movl %%eax, %%fs:(%0)", : "r"(arena), "r"(SPARE(0)));
    check_trap("#GP write to a read-only segment", GP, 0, 2);
    probe("movl %1, %%fs; incb %%fs:(%0)", : "r"(arena), "r"(SPARE(0)));
    check_trap("#GP read-modify-write of a read-only segment", GP, 0, 2);
    probe("movl %1, %%fs; xchgl %%eax, %%fs:(%0)", : "r"(arena), "r"(SPARE(0)) : "eax");
    check_trap("#GP XCHG with a read-only segment", GP, 0, 2);
    probe("movl %1, %%fs; movl %%fs:(%0), %%eax", : "r"(arena), "r"(SPARE(2)) : "eax");
    check_no_trap("read of a readable code segment");
    probe("movl %1, %%fs; movb %%al, %%fs:(%0)", : "r"(arena), "r"(SPARE(2)));
    check_trap("#GP write to a code segment", GP, 0, 2);
    probe("movb %%al, %%cs:(%0)", : "r"(arena));
    check_fault("#GP write through CS", GP, 0);
    /* In an execute-only segment, not even CS can read. */
    probe("pushl %0; pushl $1f; lret; 1: movb %%cs:(%1), %%al; int $0x30", : "r"(SPARE(1)), "r"(arena) : "eax");
    check_trap("#GP read of an execute-only segment through CS", GP, 0, 7);
    load_segment(fs, KERNEL_DS);
    /* Descriptors are cached: a change is seen only by the next load. */
    set_gdt(SPARE(0), descriptor((u32)arena, 0xFFF, DATA_RW, BIG));
    load_segment(fs, SPARE(0));
    set_gdt(SPARE(0), descriptor((u32)arena + 4, 0xFFF, DATA_RO & ~PRESENT, BIG));
    u32 value;
    *(volatile u32 *)arena = 0x1234;
    asm volatile("movl %%fs:0, %0; movl %0, %%fs:4" : "=r"(value));
    check("a loaded segment does not follow its descriptor", value, 0x1234);
    load_segment(fs, KERNEL_DS);
}

static void addresses(void) {
    volatile u32 *words = (volatile u32 *)arena;
    for (u32 i = 0; i < 16; i++) words[i] = 0x100 + i;
    u32 value;
    set_gdt(SPARE(0), descriptor((u32)arena, 0xFFFFF, DATA_RW, FLAT));
    load_segment(fs, SPARE(0));
    asm volatile("movl %%fs:8, %0" : "=r"(value));
    check("a segment's base is added", value, 0x102);
    asm volatile("movl %%fs:(%1), %0" : "=r"(value) : "r"(-(u32)arena + (u32)&words[3]));
    check("linear addresses wrap at 4 GiB", value, 0x103);
    asm volatile("movl %%fs:-4(%1,%2,4), %0" : "=r"(value) : "r"(8), "r"(3));
    check("base, index and displacement", value, 0x104);
    /* 16-bit addressing: MOV EAX, FS:[BX+SI+0xFFF0]; the sum wraps at 64 KiB. */
    asm volatile(".byte 0x64, 0x67, 0x8B, 0x80, 0xF0, 0xFF" : "=a"(value) : "b"(0xABCD0010), "S"(0xFFFF0014));
    check("16-bit addresses wrap at 64 KiB", value, 0x105);
    asm volatile("leal %%fs:8(%1), %0" : "=r"(value) : "r"(16));
    check("LEA does not add the base", value, 24);
    load_segment(fs, KERNEL_DS);
}

static void strings(void) {
    set_gdt(SPARE(0), descriptor((u32)arena, 0x0F, DATA_RW, BIG));
    load_segment(es, SPARE(0));
    probe("rep stosb", : "D"(8), "c"(100), "a"(0x5A));
    load_segment(es, KERNEL_DS);
    check_fault("#GP REP STOS beyond the limit", GP, 0);
    check("REP STOS beyond the limit: ECX", trap.ecx, 92);
    check("REP STOS beyond the limit: EDI", trap.edi, 16);
    check("REP STOS beyond the limit: last byte written", arena[15], 0x5A);
}

void limits(void) {
    boundaries();
    rights();
    addresses();
    strings();
}
