/* Selectors, and what is read through them. */
#include "audit.h"

/* Access rights as LAR shows them: bits 19 to 16 are undefined (SDM 2A, "LAR"). */
static u32 rights(u16 selector) { return (u32)(gdt[selector >> 3] >> 32) & 0x00F0FF00; }

/* The guest's data segment of ring 3. On a 64-bit Linux the same selector is a code segment. */
#define RIGHTS "larl %%edx, %%eax; andl $0xF0FF00, %%eax"
#define LOADED "movl %%es, %%edx; " RIGHTS
#define POINTER "movl $0x23, 4(%%esi); "

void segments(void) {
    ROW("LAR", 0, "movl $0x08, %%ecx; larl %%ecx, %%eax; setz %%dl; andl $0xF0FF00, %%eax", ANSWERS(rights(KERNEL_CS), 1));
    ROW("LSL", 0, "movl $0x10, %%ecx; lsll %%ecx, %%eax; setz %%dl", ANSWERS(0xFFFFFFFF, 1));
    ROW("VERR", 0, "movl $0x10, %%ecx; verr %%cx; setz %%al", ANSWER(1));
    ROW("VERW", 0, "movl $0x10, %%ecx; verw %%cx; setz %%al", ANSWER(1));
    ROW("MOV r/m, Sreg", 0, "movl %%cs, %%eax", ANSWER(KERNEL_CS));
    ROW("MOV Sreg, r/m", 0, "movl $0x23, %%eax; movl %%eax, %%es; " LOADED, ANSWERS(rights(USER_DS), USER_DS));
    ROW("PUSH Sreg", 0, "pushl %%ss; popl %%eax", ANSWER(KERNEL_DS));
    ROW("POP Sreg", 0, "pushl $0x23; popl %%es; " LOADED, ANSWERS(rights(USER_DS), USER_DS));
    ROW("LDS", 0, POINTER "ldsl (%%esi), %%eax; movl %%ds, %%edx; " RIGHTS, ANSWERS(rights(USER_DS), USER_DS));
    ROW("LES", 0, POINTER "lesl (%%esi), %%eax; " LOADED, ANSWERS(rights(USER_DS), USER_DS));
    ROW("LSS", 0, "movl %%esp, (%%esi); movl $0x10, 4(%%esi); lssl (%%esi), %%esp; movl %%ss, %%eax", ANSWER(KERNEL_DS));
    ROW("LFS", 0, POINTER "lfsl (%%esi), %%eax; movl %%fs, %%edx; " RIGHTS, ANSWERS(rights(USER_DS), USER_DS));
    ROW("LGS", 0, POINTER "lgsl (%%esi), %%eax; movl %%gs, %%edx; " RIGHTS, ANSWERS(rights(USER_DS), USER_DS));
}
