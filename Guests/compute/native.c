/* The same workload as a host program: Scripts/compute-natively. */
#include <stdio.h>
#include "compute.h"

int main(void) {
    u32 checksum = compute();
    printf("%-18s 0x%08X %s\n", guest_name, checksum, checksum == expected_checksum ? "as expected" : "DIFFERS");
    return checksum != expected_checksum;
}
