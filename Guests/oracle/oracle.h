/* The oracle: runs machine code on the real processor and tells what became of the registers and memory.
 *
 * Linear addresses, the same in this process and in the model that is compared with it:
 *
 *   0x200000  code       2 pages, read and execute   followed by nothing
 *   0x210000  data       2 pages, read and write     preceded by nothing
 *   0x212000  constants  1 page, read only           followed by nothing
 *   0x220000  stack      1 page, read and write      nothing on either side
 *   0x300000  exit       where code ends up that runs to its end
 *   0x300000 - 0x7FFFFF  this program, and the case file; the model has nothing here that user code may touch
 *
 * Whatever else the kernel mapped (stack, vDSO) is unmapped at the start: what a wild access finds must not depend on
 * the host. Sources/OracleKit/SharedCases.swift describes the same file to the other side. */
#ifndef RING3_ORACLE_H
#define RING3_ORACLE_H

#define CODE_ADDRESS 0x200000
#define CODE_SIZE 0x2000
#define DATA_ADDRESS 0x210000
#define DATA_SIZE 0x2000
#define CONSTANTS_SIZE 0x1000
#define STACK_ADDRESS 0x220000
#define STACK_SIZE 0x1000
#define FILE_ADDRESS 0x400000
#define RESERVED_END 0x800000
/* Of the 4 GiB, what the kernel lets 32-bit programs map. */
#define TASK_END 0xFFFFE000

/* Offsets in a record, for assembly. */
#define RECORD_REGISTERS 16
#define RECORD_EFLAGS 48
#define RECORD_EIP 52
#define RECORD_VECTOR 56
#define RECORD_SELECTORS 68
#define RECORD_FX 512

/* Vectors that are not the processor's. */
#define VECTOR_END 0x100     /* ran to the exit */
#define VECTOR_RUNAWAY 0x101 /* did not end */
#define VECTOR_SYSCALL 0x102 /* attempted a system call, which was not made */

/* User code segment, and a data segment at DATA_ADDRESS of DATA_SIZE bytes: the kernel's first TLS entry. */
#define USER_CODE 0x23
#define USER_DATA 0x2B
#define WINDOW_DATA 0x63

#ifndef __ASSEMBLER__

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define FILE_MAGIC 0x334F4752u /* "RGO3" */
#define FILE_VERSION 2
#define RECORD_MAGIC 0x45534143u /* "CASE" */
#define MAXIMUM_CODE 251         /* and a jump to the exit */
#define LISTED_CHANGES 20

/* One case; overwritten with what became of it. 1024 bytes. */
struct record {
    u32 magic;
    u32 code_length;
    u32 code_offset; /* of the first byte in the code pages */
    u16 ignore_size[2];
    u32 registers[8]; /* EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI */
    u32 eflags;
    u32 eip;
    u32 vector;
    u32 error_code;
    u32 cr2; /* for page faults, else 0 */
    u16 selectors[6]; /* ES, CS, SS, DS, FS, GS */
    u32 change_count;
    u32 change_hash;
    u32 ignore_address[2]; /* of memory whose contents depend on the processor's model: no change there counts */
    struct {
        u32 address;
        u32 value;
    } changes[LISTED_CHANGES]; /* words of memory that differ from what was there before */
    u8 code[256];
    u8 fx[512]; /* as FXSAVE stores it */
};

_Static_assert(sizeof(struct record) == 1024, "FXSAVE wants its image aligned");

/* The case file: header, code pages, first contents of data, constants and stack, then the records. */
struct header {
    u32 magic;
    u32 version;
    u32 record_size;
    u32 record_count;
    volatile u32 running; /* the record that is being run; NOTHING_RUNS between batches */
    volatile u32 begun;   /* counts the cases run: says that something happens */
};
#define NOTHING_RUNS 0xFFFFFFFF

#define FILE_CODE 0x1000
#define FILE_DATA 0x3000
#define FILE_STACK 0x6000
#define FILE_RECORDS 0x7000

/* run.S */
void run_record(struct record *record);
void leave_record(void) __attribute__((noreturn));
void signal_entry(void);
void signal_return(void);
extern char syscall_begin[], syscall_end[];

/* system.c */
int system_call(int number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);
void fail(const char *what) __attribute__((noreturn));
void refuse(u32 index, const char *what, u32 value) __attribute__((noreturn));
void confine(void);
u32 map_case_file(void);

/* faults.c */
void install_handlers(void);
extern struct record *volatile current;
extern volatile u32 runs;

/* window.c */
void fill_windows(void);
void collect_changes(struct record *record);

void *memcpy(void *to, const void *from, u32 count);
void *memset(void *to, int value, u32 count);

#endif
#endif
