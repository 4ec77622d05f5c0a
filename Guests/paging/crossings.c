/* Data and instructions that cross from one page to the next. */
#include "paging_guest.h"

enum { RWU = PTE_P | PTE_W | PTE_U, FIRST = WINDOW, SECOND = WINDOW + PAGE };

static void both(u32 first, u32 second) {
    set_pte(FIRST, first ? FRAME(1) | first : 0);
    set_pte(SECOND, second ? FRAME(2) | second : 0);
}

static void data(void) {
    u32 value = 0;
    both(RWU, RWU);
    probe("movl (%1), %0", "=r"(value) : "r"(SECOND - 3));
    check("read across pages", value, 0x22111111);
    both(RWU, 0);
    probe("movl (%0), %%ecx", : "r"(SECOND - 3) : "ecx");
    check_page_fault("read across pages, second absent", 0, SECOND);
    both(0, RWU);
    probe("movl (%0), %%ecx", : "r"(SECOND - 3) : "ecx");
    check_page_fault("read across pages, first absent", 0, SECOND - 3);
    both(RWU, PTE_P | PTE_U);
    probe_outer("movl %%ecx, (%0)", : "r"(SECOND - 1), "c"(0));
    check_page_fault("write across pages, second read-only", PF_USER | PF_WRITE | PF_PRESENT, SECOND);
    check("write across pages, second read-only: first unchanged", frames[1][PAGE - 1], 0x11);
    probe_outer("addl %%ecx, (%0)", : "r"(SECOND - 2), "c"(0x01010101));
    check_page_fault("ADD across pages, second read-only", PF_USER | PF_WRITE | PF_PRESENT, SECOND);
    check("ADD across pages, second read-only: first unchanged", *(u16 *)&frames[1][PAGE - 2], 0x1111);
    both(RWU, PTE_P | PTE_W);
    probe_outer("movw (%0), %%cx", : "r"(SECOND - 1) : "ecx");
    check_page_fault("read across pages, second supervisor", PF_USER | PF_PRESENT, SECOND);
    both(RWU, RWU);
    probe("movl %%ecx, (%0)", : "r"(SECOND - 2), "c"(0xAABBCCDD));
    check("write across pages: first", *(u16 *)&frames[1][PAGE - 2], 0xCCDD);
    check("write across pages: second", *(u16 *)&frames[2][0], 0xAABB);
    memset(frames[1], 0x11, PAGE);
    memset(frames[2], 0x22, PAGE);
}

/* Instructions that push several times, in ring 3 on a stack whose lower page is absent: nothing moves ESP. */
static void stacks(void) {
    both(0, RWU);
    outer_esp = SECOND + 12;
    probe_outer("pushal");
    check_fault("PUSHA into an absent page", PF, PF_USER | PF_WRITE);
    check("PUSHA into an absent page: ESP", trap.esp, outer_esp);
    outer_esp = SECOND;
    probe_outer("enter $64, $0");
    check_fault("ENTER into an absent page", PF, PF_USER | PF_WRITE);
    check("ENTER into an absent page: ESP", trap.esp, outer_esp);
    probe_outer("call 1f; 1:");
    check_page_fault("CALL into an absent page", PF_USER | PF_WRITE, SECOND - 4);
    both(RWU, 0);
    outer_esp = SECOND - 4;
    probe_outer("popal");
    check_page_fault("POPA out of an absent page", PF_USER, SECOND);
    check("POPA out of an absent page: ESP", trap.esp, outer_esp);
    ring_reset();
}

static void strings(void) {
    both(RWU, 0);
    probe("rep movsb", : "S"(FIRST), "D"(SECOND - 5), "c"(9));
    check_page_fault("REP MOVSB into an absent page", PF_WRITE, SECOND);
    check("REP MOVSB into an absent page: ECX", trap.ecx, 4);
    check("REP MOVSB into an absent page: ESI", trap.esi, FIRST + 5);
    check("REP MOVSB into an absent page: EDI", trap.edi, SECOND);
    probe("rep movsl", : "S"(SECOND - 8), "D"(FIRST), "c"(4));
    check_page_fault("REP MOVSD out of an absent page", 0, SECOND);
    check("REP MOVSD out of an absent page: ECX", trap.ecx, 2);
    probe("std; rep stosw", : "D"(SECOND + 2), "c"(4), "a"(0));
    asm volatile("cld");
    check_trap("REP STOSW backwards into an absent page", PF, PF_WRITE, 1);
    both(0, RWU);
    probe("std; rep lodsb", : "S"(SECOND + 2), "c"(9) : "eax");
    asm volatile("cld");
    check_trap("REP LODSB backwards into an absent page", PF, 0, 1);
    check("REP LODSB backwards into an absent page: ECX", trap.ecx, 6);
    check("REP LODSB backwards into an absent page: ESI", trap.esi, SECOND - 1);
    both(RWU, 0);
    memset(frames[1], 0x11, PAGE);
    probe("repe scasb", : "D"(SECOND - 4), "c"(100), "a"(0x11));
    check_page_fault("REPE SCASB into an absent page", 0, SECOND);
    check("REPE SCASB into an absent page: ECX", trap.ecx, 96);
    probe("repe cmpsb", : "S"(SECOND - 7), "D"(FIRST), "c"(100));
    check_page_fault("REPE CMPSB into an absent page", 0, SECOND);
    check("REPE CMPSB into an absent page: ECX", trap.ecx, 93);
    check("REPE CMPSB into an absent page: EDI", trap.edi, FIRST + 7);
    memset(frames[1], 0x11, PAGE);
}

/* MOV EAX, imm32 (five bytes) with its opcode `before` bytes ahead of the second page; then RET. */
static void instruction(u32 before) {
    static const u8 code[] = {0xB8, 0x78, 0x56, 0x34, 0x12, 0xC3};
    u8 *linear = (u8 *)(SECOND - before);
    both(RWU, RWU);
    memcpy(linear, code, sizeof code);
}

static void mend(struct trap_frame *f) { set_pte(read_cr2(), FRAME(2) | RWU); }

static void instructions(void) {
    for (u32 before = 1; before < 5; before++) {
        char name[96];
        u32 result = 0, start = SECOND - before;
        instruction(before);
        asm volatile("call *%1" : "=a"(result) : "r"(start) : "memory");
        format(name, "instruction with %u of 5 bytes in the first page", before);
        check(name, result, 0x12345678);
        both(RWU, 0);
        probe("call *%0", : "r"(start) : "eax");
        format(name, "instruction with %u of 5 bytes present: vector", before);
        check(name, trap.vector, PF);
        format(name, "instruction with %u of 5 bytes present: CR2", before);
        check(name, trap.cr2, SECOND);
        format(name, "instruction with %u of 5 bytes present: EIP", before);
        check(name, trap.eip, start);
        trap_handlers[PF] = mend;
        result = 0;
        asm volatile("call *%1" : "=a"(result) : "r"(start) : "memory");
        trap_handlers[PF] = 0;
        format(name, "instruction with %u of 5 bytes restarted", before);
        check(name, result, 0x12345678);
    }
    /* One byte before the boundary, and nothing of the next page needed: it may be absent. */
    instruction(1);
    *(volatile u8 *)(SECOND - 1) = 0xC3;
    both(RWU, 0);
    probe("call *%0", : "r"(SECOND - 1));
    check_no_trap("RET as the last byte before an absent page");
    memset(frames[1], 0x11, PAGE);
    memset(frames[2], 0x22, PAGE);
}

void crossings(void) {
    data();
    stacks();
    strings();
    instructions();
}
