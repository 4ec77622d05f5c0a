#include "guest.h"
#include "compute.h"

void guest_main(void) {
    asm volatile("fninit");
    u32 checksum = compute();
    print("checksum %x\n", checksum);
    check("checksum", checksum, expected_checksum);
}
