/* Code that writes code: an operand patched before each call, as in a run-time linker, and routines generated anew, as by
 * a just-in-time compiler. Code is written about every 2,000 instructions. */
#include "compute.h"

const char guest_name[] = "compute-smc";
const u32 expected_checksum = 0xDD13A1AC;

enum { ROUNDS = 40, LOOPS = 200, OPERATIONS = 24, CALLS = 100, PAGE = 4096 };
/* Pages of its own: data beside it would be written, too. */
static u8 code[2][PAGE] __attribute__((aligned(PAGE)));
static u8 *const patched = code[0], *const generated = code[1];
static u32 patch_offset;
typedef u32 routine(u32);

static u8 *emit(u8 *to, const u8 *bytes, u32 count) {
    while (count--) *to++ = *bytes++;
    return to;
}

static void store(u8 *to, u32 value) { *(volatile u32 *)to = value; }

static u8 *emit_with(u8 *to, const u8 *bytes, u32 count, u32 value) {
    to = emit(to, bytes, count);
    store(to, value);
    return to + 4;
}

#define BYTES(...) (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__})

static u8 *emit_prologue(u8 *to) { return emit(to, BYTES(0x8B, 0x44, 0x24, 0x04)); /* mov eax, [esp + 4] */ }

void prepare(void) {
    u8 *to = emit_prologue(patched);
    to = emit_with(to, BYTES(0xB9), LOOPS);        /* mov ecx, LOOPS */
    u8 *loop = to;
    to = emit_with(to, BYTES(0x05), 0);            /* add eax, patched */
    patch_offset = (u32)(to - 4 - patched);
    to = emit_with(to, BYTES(0x69, 0xC0), 1664525); /* imul eax, eax, 1664525 */
    to = emit(to, BYTES(0x49, 0x75));              /* dec ecx; jnz loop */
    *to = (u8)(loop - (to + 1));
    emit(to + 1, BYTES(0xC3));                     /* ret */
}

static void generate(u32 *random) {
    u8 *to = emit_prologue(generated);
    for (u32 i = 0; i < OPERATIONS; i++) {
        u32 value = random_next(random);
        switch (value >> 30) {
        case 0: to = emit_with(to, BYTES(0x05), value); break;             /* add eax, value */
        case 1: to = emit_with(to, BYTES(0x35), value); break;             /* xor eax, value */
        case 2: to = emit_with(to, BYTES(0x69, 0xC0), value | 1); break;   /* imul eax, eax, value */
        default: to = emit(to, BYTES(0xC1, 0xC0, (u8)(value & 31))); break; /* rol eax, value */
        }
    }
    emit(to, BYTES(0xC3)); /* ret */
}

u32 compute(u32 units) {
    u32 random = 19283746, checksum = 0;
    while (units--)
        for (u32 round = 0; round < ROUNDS; round++) {
            store(patched + patch_offset, checksum ^ round);
            checksum = ((routine *)patched)(checksum);
            generate(&random);
            for (u32 call = 0; call < CALLS; call++) checksum = ((routine *)generated)(checksum);
        }
    return checksum;
}
