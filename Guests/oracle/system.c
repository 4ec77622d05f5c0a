/* What is asked of the kernel, and then no more. */
#include "oracle.h"

enum {
    SYS_EXIT = 1, SYS_WRITE = 4, SYS_READ = 3, SYS_LSEEK = 19, SYS_MUNMAP = 91, SYS_MPROTECT = 125, SYS_PRCTL = 172,
    SYS_RT_SIGRETURN = 173, SYS_MMAP2 = 192, SYS_SET_THREAD_AREA = 243
};
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 16, MAP_ANONYMOUS = 32, MAP_POPULATE = 0x8000 };
enum { CASE_FILE = 3 };

static void print(const char *text) {
    u32 length = 0;
    while (text[length]) length++;
    system_call(SYS_WRITE, 2, (u32)text, length, 0, 0, 0);
}

static void print_number(u32 value) {
    char digits[11];
    char *first = digits + 10;
    *first = 0;
    do *--first = '0' + value % 10; while (value /= 10);
    print(first);
}

void fail(const char *what) {
    print("oracle: ");
    print(what);
    print("\n");
    system_call(SYS_EXIT, 2, 0, 0, 0, 0, 0);
    __builtin_trap();
}

void refuse(u32 index, const char *what, u32 value) {
    print("oracle: case ");
    print_number(index);
    print(", byte ");
    print_number(FILE_RECORDS + index * sizeof(struct record));
    print(" of the case file: ");
    print(what);
    print(" ");
    print_number(value);
    fail("refused");
}

static void map(u32 address, u32 size, int protection, int flags, int file, u32 offset) {
    if (system_call(SYS_MMAP2, address, size, protection, flags | MAP_FIXED | MAP_POPULATE, file, offset >> 12) !=
        (int)address)
        fail("mmap");
}

/* Maps the file on descriptor 3, and the pages that cases work on. Returns the number of records. */
u32 map_case_file(void) {
    if (system_call(SYS_MUNMAP, RESERVED_END, TASK_END - RESERVED_END, 0, 0, 0, 0) != 0) fail("munmap");
    u32 size = system_call(SYS_LSEEK, CASE_FILE, 0, 2 /* SEEK_END */, 0, 0, 0);
    if (size < FILE_RECORDS || size > RESERVED_END - FILE_ADDRESS) fail("case file, byte 0: size is out of range");
    map(FILE_ADDRESS, size, PROT_READ | PROT_WRITE, MAP_SHARED, CASE_FILE, 0);
    const struct header *header = (const struct header *)FILE_ADDRESS;
    if (header->magic != FILE_MAGIC) fail("case file, byte 0: not a case file");
    if (header->version != FILE_VERSION) fail("case file, byte 4: wrong version");
    if (header->record_size != sizeof(struct record)) fail("case file, byte 8: wrong size of records");
    if (header->record_count > (size - FILE_RECORDS) / sizeof(struct record)) fail("case file, byte 12: ends early");
    map(CODE_ADDRESS, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, CASE_FILE, FILE_CODE);
    map(DATA_ADDRESS, DATA_SIZE + CONSTANTS_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    map(STACK_ADDRESS, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return header->record_count;
}

/* struct sock_filter and the few instructions needed (linux/filter.h). */
struct filter {
    u16 code;
    u8 yes, no;
    u32 k;
};
#define LOAD(offset) {0x20, 0, 0, offset}
#define EQUAL(value, yes, no) {0x15, yes, no, value}
#define AT_LEAST(value, yes, no) {0x35, yes, no, value}
#define RETURN(value) {0x06, 0, 0, value}

/* Nothing but read, write, exit and return from a signal from now on, and those only from our own code: a case that
 * runs into a system call gets SIGSYS. */
static void filter_calls(void) {
    struct filter filter[] = {
        LOAD(4 /* arch */), EQUAL(0x40000003 /* AUDIT_ARCH_I386 */, 0, 9),
        LOAD(8 /* instruction pointer */), AT_LEAST((u32)syscall_begin, 0, 7), AT_LEAST((u32)syscall_end + 1, 6, 0),
        LOAD(0 /* number */), EQUAL(SYS_READ, 3, 0), EQUAL(SYS_WRITE, 2, 0), EQUAL(SYS_RT_SIGRETURN, 1, 0),
        EQUAL(SYS_EXIT, 0, 1), RETURN(0x7FFF0000 /* SECCOMP_RET_ALLOW */), RETURN(0x00030000 /* SECCOMP_RET_TRAP */),
    };
    struct {
        u16 length;
        struct filter *filter;
    } program = {sizeof filter / sizeof *filter, filter};
    if (system_call(SYS_PRCTL, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0, 0) != 0) fail("prctl");
    if (system_call(SYS_PRCTL, 22 /* PR_SET_SECCOMP */, 2 /* SECCOMP_MODE_FILTER */, (u32)&program, 0, 0, 0) != 0)
        fail("seccomp");
}

void confine(void) {
    /* struct user_desc: 32-bit, byte-granular, usable data segment. */
    struct {
        u32 entry, base, limit, flags;
    } window = {-1u, DATA_ADDRESS, DATA_SIZE - 1, 1 /* seg_32bit */ | 1 << 6 /* useable */};
    if (system_call(SYS_SET_THREAD_AREA, (u32)&window, 0, 0, 0, 0, 0) != 0) fail("set_thread_area");
    if (window.entry << 3 != (WINDOW_DATA & ~7)) fail("the thread's segment is not where it used to be");
    if (system_call(SYS_MPROTECT, DATA_ADDRESS + DATA_SIZE, CONSTANTS_SIZE, PROT_READ, 0, 0, 0) != 0)
        fail("mprotect");
    filter_calls();
}
