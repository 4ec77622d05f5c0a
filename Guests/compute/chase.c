/* Pointer chasing through 4 MiB in an order no prefetcher guesses: dependent loads that miss caches and TLBs. */
#include "compute.h"

const char guest_name[] = "compute-chase";
const u32 expected_checksum = 0x96BEA83C;

enum { NODES = 1 << 18, STEPS = 50000 };
static struct { u32 next, value, unused[2]; } nodes[NODES];

/* A linear congruential generator of full period (Hull and Dobell): one cycle through all nodes. */
void prepare(void) {
    u32 state = 88675123;
    for (u32 i = 0; i < NODES; i++) {
        nodes[i].next = (i * 1664525 + 1013904223) % NODES;
        nodes[i].value = random_next(&state);
    }
}

u32 compute(u32 units) {
    u32 checksum = 0, at = 0;
    while (units--)
        for (u32 step = 0; step < STEPS; step++) {
            checksum += nodes[at].value ^ step;
            at = nodes[at].next;
        }
    return checksum;
}
