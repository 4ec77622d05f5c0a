/* 16-bit tasks (SDM 3A 7.6, figure 7-10): the low halves of the registers are loaded and saved. */
#include "tasks.h"

static struct tss16 {
    u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
} narrow;
static u16 narrow_stack[128];

/* Code and stack of a 16-bit task must lie in the first 64 KiB of their segments. */
enum { CODE = SPARE(3), STACK = SPARE(4), NARROW = SPARE(5) };

SNIPPET(narrow_code, "1: leaw 1(%eax), %ax; leaw 2(%ecx), %cx; leaw 3(%edx), %dx; leaw 4(%ebx), %bx\n"
                     "leaw 5(%ebp), %bp; leaw 6(%esi), %si; leaw 7(%edi), %di\n"
                     "pushw %ax\n"
                     "stc\n"
                     "ljmp $0x28, $0\n"
                     "jmp 1b");
SNIPPET(narrow_return, "1: addw $1, %ax; iretl; jmp 1b");

static void prepare(const u8 *code) {
    reset_tasks();
    set_gdt(CODE, descriptor((u32)code, 0xFFFF, CODE_XR, BIG));
    set_gdt(STACK, descriptor((u32)narrow_stack, sizeof narrow_stack - 1, DATA_RW, 0));
    set_gdt(NARROW, descriptor((u32)&narrow, sizeof narrow - 1, TSS16, 0));
    narrow = (struct tss16){
        .ax = 0x10, .cx = 0x20, .dx = 0x30, .bx = 0x40, .bp = 0x50, .si = 0x60, .di = 0x70, .flags = EFLAGS_ZF | 2,
        .sp = 200, .cs = CODE, .ss = STACK, .ds = KERNEL_DS, .es = KERNEL_DS,
    };
}

void narrow_tasks(void) {
    prepare(narrow_code);
    u32 saved = 0xB0B0B0B0;
    static struct far_pointer to = {0, NARROW};
    asm volatile("ljmp *%1" : "+b"(saved) : "m"(to) : "memory");
    check("16-bit task and back: a register of ours has all 32 bits", saved, 0xB0B0B0B0);
    u16 got[] = {narrow.ax, narrow.cx, narrow.dx, narrow.bx, narrow.bp, narrow.si, narrow.di, narrow.sp};
    u16 expected[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 198};
    static const char *const names[] = {"AX", "CX", "DX", "BX", "BP", "SI", "DI", "SP"};
    for (u32 i = 0; i < length_of(names); i++) {
        char name[64];
        format(name, "the 16-bit task's %s was loaded, stepped and saved", names[i]);
        check(name, got[i], expected[i]);
    }
    check("the 16-bit task's push", narrow_stack[99], 0x11);
    check("the 16-bit task's FLAGS", narrow.flags, EFLAGS_ZF | EFLAGS_CF | 2);
    check("the 16-bit task's SS", narrow.ss, STACK);
    check("the 16-bit task is not busy", access_of(NARROW), TSS16);

    prepare(narrow_return);
    switch_by("lcall", NARROW);
    check_no_trap("CALL to a 16-bit task and IRET");
    check("CALL to a 16-bit task: link", narrow.link, MAIN);
    check("CALL to a 16-bit task: it ran", narrow.ax, 0x11);
    set_gdt(NARROW, descriptor((u32)&narrow, sizeof narrow - 2, TSS16, 0));
    switch_by("ljmp", NARROW);
    check_fault("#TS 16-bit TSS too short", TS, NARROW);
    set_gdt(NARROW, descriptor((u32)&narrow, sizeof narrow - 1, TSS16_BUSY, 0));
    switch_by("ljmp", NARROW);
    check_fault("#GP JMP to a busy 16-bit TSS", GP, NARROW);
    reset_tasks();
}
