/* IF and IOPL. Ring 0 runs with both clear. */
#include "audit.h"

#define READ_IF "pushfl; popl %%eax; andl $0x200, %%eax"
#define READ_IF_AND_IOPL "pushfl; popl %%eax; andl $0x3200, %%eax"
#define INTERRUPTS_ON "pushl $0x202; popfl; "

void flags(void) {
    ROW("PUSHF", 0, READ_IF_AND_IOPL, ANSWER(0));
    ROW("POPF", 0, "pushl $0x3002; popfl; " READ_IF_AND_IOPL, ANSWER(EFLAGS_IOPL));
    ROW("CLI", 0, INTERRUPTS_ON "cli; " READ_IF, ANSWER(0));
    ROW("STI", 0, "sti; " READ_IF, ANSWER(EFLAGS_IF));
}
