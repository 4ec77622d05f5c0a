/* The trap harness. A probe runs a piece of assembly that may trap; the trap is recorded and execution goes on after it.
 *
 *     probe("movl %%eax, %%ds", : "a"(0x38));
 *     check_fault("data segment not present", NP, 0x38);
 *
 * Fault or trap, from ring 0 to 3, from virtual-8086 mode, in a 16-bit segment or on a strange stack: it is recorded alike.
 * General registers keep the values they had at the trap; segment registers are flat again after one. */
#pragma once
#include "types.h"

enum vector { DE, DB, NMI, BP, OF, BR, UD, NM, DF, CSO, TS, NP, SS, GP, PF, MF = 16, AC, MC, XM, NO_TRAP = 0x1000 };

struct trap_frame {
    u32 gs, fs, es, ds;                                     /* upper halves undefined */
    u32 edi, esi, ebp, esp_pushed, ebx, edx, ecx, eax;
    u32 vector, error;                                      /* error is 0 where the vector has none */
    u32 eip, cs, eflags;
    u32 esp, ss;                                            /* only from an outer ring */
    u32 v86_es, v86_ds, v86_fs, v86_gs;                     /* only from virtual-8086 mode */
};

/* The last trap that ended a probe. ESP and SS are those of the trapped code even without a ring change. */
struct trap {
    u32 vector, error, eip, cs, eflags, esp, ss, cr2;
    u32 eax, ecx, edx, ebx, ebp, esi, edi;
    u16 ds, es, fs, gs;
    i32 offset;                                             /* EIP relative to the beginning of the probe */
};
extern struct trap trap;

/* Where set, gets the trap instead of the probe, and returns to (or edits) the frame. */
typedef void trap_handler(struct trap_frame *);
extern trap_handler *trap_handlers[256];

extern u32 probe_esp, probe_resume, probe_start;
/* What enter_ring enters; reset by ring_reset to ring 3, flat, EFLAGS = 2. */
extern u32 outer_cs, outer_ss, outer_ds, outer_esp, outer_eflags;
void ring_reset(void);
extern u8 boot_stack_top[], trap_stack_top[], user_stack_top[];

#define PROBE(before, code, operands...)                                                                \
    do {                                                                                                \
        trap.vector = NO_TRAP;                                                                          \
        barrier();                                                                                      \
        asm volatile("movl %%esp, probe_esp\n\t"                                                         \
                     "movl $.Lprobe_end%=, probe_resume\n\t"                                             \
                     "movl $.Lprobe_start%=, probe_start\n\t" before "\n"                                \
                     ".Lprobe_start%=:\n\t" code "\n\t"                                                  \
                     "movl probe_esp, %%esp\n"                                                           \
                     ".Lprobe_end%=:\n\t"                                                                \
                     "movl $0, probe_resume" : operands);                                               \
        barrier();                                                                                      \
    } while (0)

/* Runs `code` in ring 0, where it may leave things on the stack. */
#define probe(code, operands...) PROBE("", code, operands)

/* Runs `code` in the ring set by outer_cs; it reports REACHED if nothing else stops it. No memory operand may be
 * ESP-relative: the stack is another one. */
#define probe_outer(code, operands...) PROBE("call enter_ring", code "\n\tint $0x30", operands)

/* One flat ring-0 selector load, used to undo what a probe did to DS, ES, FS or GS. */
#define load_segment(reg, selector) asm volatile("movl %0, %%" #reg : : "r"((u32)(selector)) : "memory")

/* A piece of assembly with a C name; 16-bit pieces begin with .code16. */
#define SNIPPET(name, code)   \
    extern const u8 name[];   \
    asm(".pushsection .text\n" #name ":\n" code "\n.code32\n.popsection")

/* Operand of far JMP and CALL, LSS and the like. */
struct far_pointer { u32 offset; u16 selector; } __attribute__((packed));
