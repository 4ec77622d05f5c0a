/* The same workload as a 32-bit Linux program, without a C library: the object file is the guest's own. */
#include "compute.h"
#include "options.h"

enum { SYS_EXIT = 1, SYS_WRITE = 4, SYS_MPROTECT = 125, PROT_ALL = 7, STANDARD_OUTPUT = 1 };
extern u8 image_start[], image_end[];

static u32 system_call(u32 number, u32 a, u32 b, u32 c) {
    u32 result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

static void put(const char *text) {
    u32 length = 0;
    while (text[length]) length++;
    system_call(SYS_WRITE, STANDARD_OUTPUT, (u32)text, length);
}

static void put_number(u32 value, u32 base) {
    char digits[12], *first = digits + 11;
    *first = 0;
    do *--first = "0123456789ABCDEF"[value % base]; while (value /= base);
    put(first);
}

/* `stack` is as the kernel leaves it: argument count, arguments (System V ABI for the i386, "process stack"). */
__attribute__((used)) static _Noreturn void native_main(const u32 *stack) {
    const char *line = stack[0] > 1 ? (const char *)stack[2] : "";
    u32 units = number_option(line, "units", 0);
    /* One workload writes code where others keep data. */
    system_call(SYS_MPROTECT, (u32)image_start, (u32)(image_end - image_start), PROT_ALL);
    prepare();
    put("begin\n");
    u32 checksum = compute(units ? units : SELF_CHECK_UNITS);
    put("end\noperations ");
    put_number(units ? units : SELF_CHECK_UNITS, 10);
    put("\nchecksum 0x");
    put_number(checksum, 16);
    bool passed = units || checksum == expected_checksum;
    put(passed ? "\n" : ", expected 0x");
    if (!passed) put_number(expected_checksum, 16), put("\n");
    put(guest_name);
    put(passed ? ": 1 passed, 0 failed\n" : ": 0 passed, 1 failed\n");
    system_call(SYS_EXIT, !passed, 0, 0);
    __builtin_trap();
}

/* The stack is not yet aligned as compiled code expects it to be after a call. */
__asm__(".text\n.globl _start\n_start: movl %esp, %eax\nandl $-16, %esp\nsubl $12, %esp\npushl %eax\ncall native_main\n");
