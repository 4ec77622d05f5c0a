/* Virtual-8086 mode: entering by IRET, what traps, what does not, and a monitor for it (SDM 3A chapter 20). */
#include "v86.h"

const char guest_name[] = "v86";

void run_code(const u8 *begin, const u8 *end, u32 eflags) {
    static u32 frame[9];
    memcpy((void *)(CODE * 16), begin, end - begin);
    u32 image[9] = {0, CODE, eflags | EFLAGS_VM | 2, STACK_TOP, STACK, DATA, DATA, 0x4000, 0x5000};
    memcpy(frame, image, sizeof frame);
    /* The frame is popped from where it lies; IRET never pushes. */
    probe("movl %0, %%esp; xorl %%eax, %%eax; xorl %%ebx, %%ebx; xorl %%ecx, %%ecx; xorl %%edx, %%edx; iretl",
          : "S"(frame) : "eax", "ebx", "ecx", "edx");
}

void check_at(const char *name, u32 vector, u32 error, u32 ip) {
    trap.offset = (i32)trap.eip;
    check_trap(name, vector, error, (i32)ip);
}

void guest_main(void) {
    entry();
    sensitive();
    segments();
    monitor();
}
