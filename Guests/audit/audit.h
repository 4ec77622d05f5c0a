/* For every sensitive instruction a piece of code: what it answers in ring 0, what ring 0 must see, what ring 3 gets.
 *
 * The same bytes are run by `ring3 audit` as a program of the host, at the same addresses (Guests/oracle/oracle.h), so they
 * use nothing else: EDI is where they begin, ESI 8 KiB of memory, ESP a stack. Their answer is left in EAX and EDX. */
#pragma once
#include "guest.h"

enum { CODE_ADDRESS = 0x200000, DATA_ADDRESS = 0x210000 };

/* What became of a piece of code; `vector` is REACHED if it ran to its end. */
struct outcome { u32 vector, error, eax, edx; };

struct row {
    const char *form;        /* as in X86's table of sensitive instructions */
    const u8 *begin, *end;
    void (*prepare)(void);   /* or null */
    u32 words;               /* how many of EAX and EDX are the answer */
    bool is_open;            /* what must be seen depends on the machine: left to the reader */
    struct outcome must;     /* be seen in ring 0 */
};
void audit(struct row row);

/* The bytes of some assembly, which may use .Lcode%= for its beginning. */
#define CODE(text)                                                                                                   \
    ({                                                                                                               \
        struct { const u8 *begin, *end; } code;                                                                      \
        asm volatile(".pushsection .rodata\n.Lcode%=:\n\t" text "\n.Lend%=:\n.popsection\n\t"                         \
                     "movl $.Lcode%=, %0\n\tmovl $.Lend%=, %1" : "=r"(code.begin), "=r"(code.end));                   \
        code;                                                                                                        \
    })
#define ROW(form_, prepare_, text, ...)                                                                              \
    do {                                                                                                             \
        __auto_type code_ = CODE(text);                                                                              \
        audit((struct row){form_, code_.begin, code_.end, prepare_, __VA_ARGS__});                                   \
    } while (0)

/* How a row goes on: what it must answer, in EAX, or in EAX and EDX; or which vector it must enter. */
#define ANSWER(value) 1, false, {REACHED, 0, value, 0}
#define ANSWERS(first, second) 2, false, {REACHED, 0, first, second}
#define ENTERS(vector) 0, false, {vector, 0, 0, 0}
#define OPEN 1, true, {REACHED, 0, 0, 0}

/* One a file. */
void tables(void);
void flags(void);
void segments(void);
void transfers(void);
void processor(void);
void devices(void);

/* LDT and second TSS that instructions are shown or given. */
enum { LDT_SELECTOR = SPARE(0), SECOND_TSS = SPARE(1) };
enum { SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176 };
