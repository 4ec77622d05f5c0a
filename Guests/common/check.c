#include "guest.h"

enum { DEBUG_EXIT = 0xF4 };

static u32 passed, failed;

void count_failure(void) { failed++; }

void check_string(const char *name, const char *got, const char *expected) {
    if (string_equal(got, expected)) {
        passed++;
        print("ok   %s\n", name);
    } else {
        failed++;
        print("FAIL %s: got %s, expected %s\n", name, got, expected);
    }
}

void check(const char *name, u32 got, u32 expected) {
    char a[16], b[16];
    format(a, "%x", got);
    format(b, "%x", expected);
    check_string(name, a, b);
}

static bool has_error_code(u32 vector) { return vector == DF || (vector >= TS && vector <= PF) || vector == AC; }

char *describe_trap(char *to, const struct trap *t) {
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "CSO", "#TS", "#NP",
                                        "#SS", "#GP", "#PF", "15", "#MF", "#AC", "#MC", "#XM"};
    if (t->vector == NO_TRAP) return format(to, "no trap");
    if (t->vector == REACHED) return format(to, "no trap before the end");
    if (t->vector < length_of(names)) to = format(to, "%s", names[t->vector]);
    else to = format(to, "interrupt %x", t->vector);
    if (has_error_code(t->vector)) to = format(to, "(%x)", t->error);
    return format(to, " at %c%u", t->offset < 0 ? '-' : '+', t->offset < 0 ? -t->offset : t->offset);
}

void check_trap(const char *name, u32 vector, u32 error, i32 offset) {
    char got[64], expected[64];
    describe_trap(got, &trap);
    describe_trap(expected, &(struct trap){.vector = vector, .error = error, .offset = offset});
    check_string(name, got, expected);
}

void check_fault(const char *name, u32 vector, u32 error) { check_trap(name, vector, error, 0); }
void check_vector(const char *name, u32 vector, u32 error) { check_trap(name, vector, error, trap.offset); }
void check_no_trap(const char *name) { check_trap(name, NO_TRAP, 0, 0); }
void skip(const char *name, const char *missing) { print("skip %s: CPUID lacks %s\n", name, missing); }
void skip_because(const char *name, const char *reason) { print("skip %s: %s\n", name, reason); }

void tally(struct tally *t, bool right, const char *combination) {
    if (right) return;
    if (!t->wrong++) format(t->first, "%s", combination);
}

void check_tally(const char *name, const struct tally *t) {
    char got[128];
    format(got, "%u wrong, first: %s", t->wrong, t->first);
    check_string(name, t->wrong ? got : "all right", "all right");
}

_Noreturn void finish(void) {
    print("%s: %u passed, %u failed\n", guest_name, passed, failed);
    outl(DEBUG_EXIT, failed || !passed);
    for (;;) asm volatile("cli; hlt");
}
