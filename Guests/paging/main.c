/* Paging: rights, accessed and dirty bits, remapping, crossings, 4 MiB pages, PAE with NX (SDM 3A chapter 4). */
#include "paging_guest.h"

const char guest_name[] = "paging";
u8 frames[FRAMES][PAGE] __attribute__((aligned(PAGE)));

void check_page_fault(const char *name, u32 error, u32 address) {
    char text[96];
    check_fault(name, PF, error);
    format(text, "%s: CR2", name);
    check(text, trap.cr2, address);
}

void guest_main(void) {
    for (u32 n = 0; n < FRAMES; n++) memset(frames[n], n * 0x11, PAGE);
    paging_on();
    rights();
    accessed_and_dirty();
    mappings();
    crossings();
    big_pages();
    paging_off();
    pae();
}
