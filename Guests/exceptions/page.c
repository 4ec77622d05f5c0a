/* #PF: error code, CR2, and restart (SDM 3A 4.7). The guest `paging` has the rest. */
#include "guest.h"
#include "paging.h"
#include "exceptions.h"

/* Three pages: the middle one is made bad. */
static u8 arena[3 * PAGE] __attribute__((aligned(PAGE)));

static void check_page_fault(const char *name, u32 error, u32 address) {
    char text[96];
    check_fault(name, PF, error);
    format(text, "%s: CR2", name);
    check(text, trap.cr2, address);
}

static void error_codes(void) {
    u32 bad = (u32)arena + PAGE;
    set_pte(bad, 0);
    probe("movl 8(%0), %%ecx", : "r"(bad) : "ecx");
    check_page_fault("#PF read, not present", 0, bad + 8);
    probe("movb %%cl, 5(%0)", : "r"(bad), "c"(0));
    check_page_fault("#PF write, not present", PF_WRITE, bad + 5);
    probe("incl (%0)", : "r"(bad));
    check_page_fault("#PF read-modify-write is a write", PF_WRITE, bad);
    probe_outer("movl (%0), %%ecx", : "r"(bad) : "ecx");
    check_page_fault("#PF user read, not present", PF_USER, bad);
    probe_outer("movl %%ecx, (%0)", : "r"(bad), "c"(0));
    check_page_fault("#PF user write, not present", PF_USER | PF_WRITE, bad);

    set_pte(bad, bad | PTE_P | PTE_W);
    probe_outer("movl (%0), %%ecx", : "r"(bad) : "ecx");
    check_page_fault("#PF user read of a supervisor page", PF_USER | PF_PRESENT, bad);
    probe_outer("movl %%ecx, (%0)", : "r"(bad), "c"(0));
    check_page_fault("#PF user write of a supervisor page", PF_USER | PF_WRITE | PF_PRESENT, bad);
    probe("movl (%0), %%ecx; movl %%ecx, (%0)", : "r"(bad) : "ecx");
    check_no_trap("supervisor access of a supervisor page");

    set_pte(bad, bad | PTE_P | PTE_U);
    probe_outer("movl %%ecx, (%0)", : "r"(bad), "c"(0));
    check_page_fault("#PF user write of a read-only page", PF_USER | PF_WRITE | PF_PRESENT, bad);
    probe("movl %%ecx, (%0)", : "r"(bad), "c"(0));
    check_no_trap("supervisor write of a read-only page, WP clear");
    write_cr0(read_cr0() | CR0_WP);
    probe("movl %%ecx, (%0)", : "r"(bad), "c"(0));
    check_page_fault("#PF supervisor write of a read-only page, WP set", PF_WRITE | PF_PRESENT, bad);
    write_cr0(read_cr0() & ~CR0_WP);
    reset_pte(bad);
}

static u32 mended;
static void mend(struct trap_frame *f) {
    mended++;
    reset_pte(read_cr2());
}

static void restart(void) {
    u32 bad = (u32)arena + PAGE, value = 0;
    *(volatile u32 *)(bad + 4) = 0x12345678;
    trap_handlers[PF] = mend;
    set_pte(bad, 0);
    probe("movl 4(%1), %0", "=r"(value) : "r"(bad));
    check_no_trap("#PF mended by the handler");
    check("restarted read sees the page", value, 0x12345678);
    set_pte(bad, 0);
    value = 0x1111;
    probe("pushfl; addl %0, 4(%1); popfl", "+r"(value) : "r"(bad));
    check("restarted read-modify-write adds once", *(volatile u32 *)(bad + 4), 0x12345678 + 0x1111);
    mended = 0;
    set_pte(bad, 0);
    probe("rep movsb", : "S"(arena + PAGE - 100), "D"(arena + PAGE + 1000), "c"(300) : "memory");
    check("REP MOVSB over a missing page faults once, goes on", mended, 1);
    trap_handlers[PF] = 0;
}

/* A fault leaves registers, the stack pointer and memory as they were before the instruction. */
static void precision(void) {
    u32 bad = (u32)arena + PAGE;
    set_pte(bad, 0);
    probe("popl (%0)", : "r"(bad));
    check_page_fault("#PF POP to memory", PF_WRITE, bad);
    check("#PF POP to memory leaves ESP alone", trap.esp, probe_esp);
    probe("call *(%0)", : "r"(bad));
    check_page_fault("#PF CALL through memory", 0, bad);
    check("#PF CALL through memory leaves ESP alone", trap.esp, probe_esp);
    probe("rep stosl", : "D"(arena + PAGE - 12), "c"(10), "a"(0x55AA55AA));
    check_page_fault("#PF within REP STOS", PF_WRITE, bad);
    check("#PF within REP STOS: ECX", trap.ecx, 7);
    check("#PF within REP STOS: EDI", trap.edi, bad);
    u32 half = bad - 2;
    *(volatile u16 *)half = 0x1234;
    probe("movl %%ecx, (%0)", : "r"(half), "c"(0xFFFFFFFF));
    check_page_fault("#PF store across pages, second missing", PF_WRITE, bad);
    check("#PF store across pages writes nothing", *(volatile u16 *)half, 0x1234);
    u32 tail = bad + PAGE - 2;
    probe("movl (%0), %%ecx", : "r"(tail) : "ecx");
    check_page_fault("#PF load across pages, first missing", 0, tail);
    probe("jmp *%0", : "r"(bad + 16));
    check("#PF fetch: vector", trap.vector, PF);
    check("#PF fetch: error code", trap.error, 0);
    check("#PF fetch: CR2", trap.cr2, bad + 16);
    check("#PF fetch: EIP is the target's", trap.eip, bad + 16);
    reset_pte(bad);
}

void page_faults(void) {
    paging_on();
    error_codes();
    restart();
    precision();
    paging_off();
}
