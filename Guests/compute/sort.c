/* Quicksort with an insertion sort at the bottom: unpredictable branches, recursion, swaps. */
#include "compute.h"

const char guest_name[] = "compute-sort";
const u32 expected_checksum = 0x56B59500;

enum { COUNT = 4096, SMALL = 12 };
static u32 values[COUNT];

static void insertion(u32 *a, u32 count) {
    for (u32 i = 1; i < count; i++) {
        u32 value = a[i], j = i;
        while (j && a[j - 1] > value) a[j] = a[j - 1], j--;
        a[j] = value;
    }
}

static void sort(u32 *a, u32 count) {
    while (count > SMALL) {
        u32 pivot = a[count / 2];
        i32 i = 0, j = (i32)count - 1;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i > j) break;
            u32 swap = a[i];
            a[i++] = a[j];
            a[j--] = swap;
        }
        sort(a, (u32)(j + 1));
        a += i;
        count -= (u32)i;
    }
    insertion(a, count);
}

void prepare(void) {}

u32 compute(u32 units) {
    u32 state = 2463534242u, checksum = 0;
    while (units--) {
        for (u32 i = 0; i < COUNT; i++) values[i] = random_next(&state);
        sort(values, COUNT);
        for (u32 i = 0; i < COUNT; i++) checksum = (checksum << 5 | checksum >> 27) ^ values[i];
    }
    return checksum;
}
