/* A bytecode interpreter with computed jumps: an indirect branch every few instructions, as in every scripting language. */
#include "compute.h"

const char guest_name[] = "compute-interpreter";
const u32 expected_checksum = 0x9B5D68D7;

enum { ROUNDS = 5000 };
enum operation { LOAD, ADD, XOR, SHIFT, MULTIPLY, STORE, COUNT_DOWN, STOP };

void prepare(void) {}

u32 compute(u32 units) {
    static const u8 program[] = {
        LOAD, 0, ADD, 1, STORE, 0,            /* a += b */
        XOR, 2, SHIFT, 5, STORE, 1,           /* b = rotate(a ^ c) */
        MULTIPLY, 3, ADD, 0, ADD, 3, STORE, 2, /* c = b * d + a + d */
        COUNT_DOWN, 4, STOP, 0,               /* until e is zero */
    };
    static const void *const actions[] = {&&load, &&add, &&xor, &&shift, &&multiply, &&store, &&count_down, &&stop};
    u32 cells[5] = {1, 2, 3, 1664525, 0}, accumulator = 0;
    const u8 *at;
#define NEXT goto *actions[*at]
again:
    if (!units--) return cells[0] ^ cells[1] ^ cells[2];
    cells[4] = ROUNDS, at = program;
    NEXT;
load:
    accumulator = cells[at[1]], at += 2;
    NEXT;
add:
    accumulator += cells[at[1]], at += 2;
    NEXT;
xor:
    accumulator ^= cells[at[1]], at += 2;
    NEXT;
shift:
    accumulator = accumulator << at[1] | accumulator >> (32 - at[1]), at += 2;
    NEXT;
multiply:
    accumulator *= cells[at[1]], at += 2;
    NEXT;
store:
    cells[at[1]] = accumulator, at += 2;
    NEXT;
count_down:
    if (--cells[at[1]]) at = program;
    else at += 2;
    NEXT;
stop:
    goto again;
}
