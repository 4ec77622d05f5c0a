/* The screen and ACPI's root pointer (Multiboot2 3.6.12 to 3.6.16; ACPI 5.2.5). */
#include "multiboot2.h"

struct framebuffer { struct tag tag; u32 address, address_high, pitch, width, height; u8 depth, type; };
enum { EGA_TEXT = 2 };

static void check_screen(void) {
    const struct framebuffer *f = find_tag(TAG_FRAMEBUFFER);
    if (!f || f->type != EGA_TEXT) {
        skip_because("the screen", "there is no EGA text");
        return;
    }
    volatile u16 *screen = (volatile u16 *)f->address;
    check("the text screen's address", f->address_high == 0 && f->address == 0xB8000, true);
    check("its columns", f->width, 80);
    check("its rows", f->height, 25);
    check("its pitch", f->pitch, 160);
    check("bits of a character", f->depth, 16);
    screen[0] = 0x0F00 | 'M';
    check("the screen holds what is written", screen[0], 0x0F00 | 'M');
}

static bool sums_to_zero(u32 address, u32 length) {
    u8 sum = 0;
    for (u32 i = 0; i < length; i++) sum += ((const u8 *)address)[i];
    return sum == 0;
}

/* The copy of the root pointer in the tag leads to a table of tables, each with its checksum. */
static void check_acpi(void) {
    const struct tag *tag = find_tag(TAG_OLD_RSDP);
    if (!tag) tag = find_tag(TAG_NEW_RSDP);
    if (!tag) {
        skip_because("ACPI", "there is none");
        return;
    }
    const u8 *root = (const u8 *)(tag + 1);
    check("the root pointer's signature", memcmp(root, "RSD PTR ", 8), 0);
    check("the root pointer's checksum", sums_to_zero((u32)root, 20), true);
    const u32 *table = *(const u32 *const *)(root + 16);
    check("it leads to the root table", memcmp(table, "RSDT", 4), 0);
    check("the root table's checksum", sums_to_zero((u32)table, table[1]), true);
}

void check_devices(void) {
    check_screen();
    check_acpi();
}
