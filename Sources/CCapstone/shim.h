#ifndef RING3_CCAPSTONE_SHIM_H
#define RING3_CCAPSTONE_SHIM_H

#if !__has_include(<capstone/capstone.h>)
#error "Capstone is missing. Install it with Scripts/setup, or: apt-get install libcapstone-dev"
#else
#include <capstone/capstone.h>

/* C unions import into Swift as computed properties that return a copy; a pointer into one dangles. Hence accessors. */
static inline const cs_x86 *ring3_cs_x86(const cs_insn *instruction) { return &instruction->detail->x86; }
static inline const cs_x86_op *ring3_cs_operand(const cs_x86 *x86, int index) { return &x86->operands[index]; }
static inline unsigned ring3_cs_operand_register(const cs_x86_op *operand) { return operand->reg; }
static inline long long ring3_cs_operand_immediate(const cs_x86_op *operand) { return operand->imm; }
static inline x86_op_mem ring3_cs_operand_memory(const cs_x86_op *operand) { return operand->mem; }
#endif

#endif
