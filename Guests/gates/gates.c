/* Rings and the ways between them: call gates, far returns, interrupts, I/O rights, SYSENTER (SDM 3A 5.8, 6.12, 1 19.5). */
#include "gates.h"

const char guest_name[] = "gates";

enum { RING1_CODE = SPARE(20), RING1_DATA = SPARE(21), RING2_CODE = SPARE(22), RING2_DATA = SPARE(23) };
const u16 code_of[4] = {KERNEL_CS, RING1_CODE | 1, RING2_CODE | 2, USER_CS};
const u16 data_of[4] = {KERNEL_DS, RING1_DATA | 1, RING2_DATA | 2, USER_DS};
static u32 ring1_stack[256], ring2_stack[256];
u32 *const stack_of[3] = {(u32 *)trap_stack_top, ring1_stack + 200, ring2_stack + 200};

SNIPPET(report, ".globl report\nint $0x30");

void enter_from(u32 ring) {
    ring_reset();
    outer_cs = code_of[ring];
    outer_ss = outer_ds = data_of[ring];
}

void guest_main(void) {
    for (u32 ring = 1; ring <= 2; ring++) {
        set_gdt(code_of[ring], descriptor(0, 0xFFFFF, CODE_XR | DPL(ring), FLAT));
        set_gdt(data_of[ring], descriptor(0, 0xFFFFF, DATA_RW | DPL(ring), FLAT));
    }
    main_tss.ss1 = data_of[1];
    main_tss.esp1 = (u32)stack_of[1];
    main_tss.ss2 = data_of[2];
    main_tss.esp2 = (u32)stack_of[2];
    calls();
    call_faults();
    returns();
    interrupts();
    ports();
    flags();
    fast_calls();
}
