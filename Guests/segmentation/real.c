/* Real mode and back (SDM 3A 9.9, 20.1): the results of real.S. */
#include "segmentation.h"

extern const u8 real_begin[], real_end[], real_results[];
void real_enter(void);

enum { LOW = 0x8000 };

struct results {
    u16 store, selector, sp, sp_after, ip, cs, flags, flags_inside, divide_offset, far_cs, msw, padding;
    u32 unreal, unreal_reloaded;
};

void real_mode(void) {
    set_gdt(SPARE(0), descriptor(0, 0xFFFF, CODE_XR, 0));
    set_gdt(SPARE(1), descriptor(0, 0xFFFF, DATA_RW, 0));
    memcpy((void *)LOW, real_begin, real_end - real_begin);
    real_enter();
    const struct results *r = (const struct results *)(LOW + (real_results - real_begin));
    check("real mode: store through ES", r->store, 0x5678);
    check("real mode: a segment is 16 times its selector", *(volatile u16 *)(0x1234 * 16 + 0x10), 0x5678);
    check("real mode: ES keeps its selector", r->selector, 0x1234);
    check("real mode: IRET restores SP", r->sp_after, r->sp);
    check("real mode: CS pushed by INT n", r->cs, 0);
    check("real mode: IP pushed by INT n is after it", *(u16 *)(u32)(r->ip - 2), 0x60CD);
    check("real mode: IF in the pushed FLAGS", r->flags & EFLAGS_IF, EFLAGS_IF);
    check("real mode: IF is clear in the handler", r->flags_inside & EFLAGS_IF, 0);
    check("real mode: #DE pushes the IP of the DIV", r->divide_offset, 0);
    check("real mode: far CALL", r->far_cs, LOW >> 4);
    check("real mode: SMSW shows PE clear", r->msw & CR0_PE, 0);
    u32 first_word = *(volatile u32 *)0x100000; /* the Multiboot magic */
    check("unreal mode: FS reaches beyond 1 MiB", r->unreal, first_word);
    check("unreal mode: loading FS keeps its limit", r->unreal_reloaded, first_word);
    check("back in protected mode", read_cr0() & CR0_PE, CR0_PE);
    probe("ud2");
    check_fault("back in protected mode: exceptions arrive", UD, 0);
}
