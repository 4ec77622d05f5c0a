/* Pointer chasing through 8 MiB in random order: dependent loads that miss caches and TLBs. */
#include "compute.h"

const char guest_name[] = "compute-chase";
const u32 expected_checksum = 0x58B4320D;

enum { NODES = 1 << 20, STEPS = 8000000 };
static struct { u32 next, value; } nodes[NODES];

u32 compute(void) {
    static u32 order[NODES];
    u32 state = 88675123, checksum = 0;
    for (u32 i = 0; i < NODES; i++) order[i] = i;
    for (u32 i = NODES - 1; i; i--) { /* Fisher and Yates */
        u32 j = random_next(&state) % (i + 1), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    for (u32 i = 0; i < NODES; i++) {
        nodes[order[i]].next = order[(i + 1) % NODES];
        nodes[order[i]].value = random_next(&state);
    }
    for (u32 step = 0, at = 0; step < STEPS; step++) {
        checksum += nodes[at].value ^ step;
        at = nodes[at].next;
    }
    return checksum;
}
