/* Checks: each prints one line and is counted. Names are unique within a guest. */
#pragma once
#include "trap.h"
#include "types.h"

/* Set by each guest; printed in the summary. */
extern const char guest_name[];
void guest_main(void);

void check(const char *name, u32 got, u32 expected);
void check_string(const char *name, const char *got, const char *expected);
/* The last probe stopped with `vector`, and `error` if that vector has an error code, its EIP at the beginning of the probe. */
void check_fault(const char *name, u32 vector, u32 error);
/* The same with EIP `offset` bytes after the beginning of the probe. */
void check_trap(const char *name, u32 vector, u32 error, i32 offset);
/* The same where EIP is undefined, as for #DF. */
void check_vector(const char *name, u32 vector, u32 error);
void check_no_trap(const char *name);
/* Prints why a check cannot be made here; counted neither as passed nor as failed. */
void skip_because(const char *name, const char *reason);
/* The same for what CPUID says is missing. */
void skip(const char *name, const char *missing);
void count_failure(void);

/* One check of many combinations: counts those that went wrong and remembers the first. */
struct tally { u32 wrong; char first[96]; };
void tally(struct tally *, bool right, const char *combination);
void check_tally(const char *name, const struct tally *);

/* "#GP(0x18) at +0" */
char *describe_trap(char *to, const struct trap *);

/* Prints the summary and ends the machine through the debug-exit port: 0 if everything passed, else 1. */
_Noreturn void finish(void);
