/* ELF section headers (Multiboot2 3.6.7; System V ABI, chapter 4), by which a kernel finds its own symbols. */
#include "multiboot2.h"

struct section { u32 name, type, flags, address, offset, size, link, info, alignment, entry_size; };
struct symbol { u32 name, value, size; u8 info, other; u16 section; };
enum { SYMBOLS = 2 };

/* As in the specification's multiboot2.h and in GRUB; where the text draws the tag, three of these fields have 16 bits. */
struct sections { struct tag tag; u32 count, entry_size, names; struct section first[]; };

static const struct symbol *find_symbol(const struct sections *s, const char *name) {
    for (u32 i = 0; i < s->count; i++) {
        const struct section *table = &s->first[i];
        if (table->type != SYMBOLS) continue;
        const struct symbol *symbols = (const struct symbol *)table->address;
        const char *strings = (const char *)s->first[table->link].address;
        for (u32 j = 0; j < table->size / sizeof *symbols; j++)
            if (string_equal(strings + symbols[j].name, name)) return &symbols[j];
    }
    return 0;
}

/* A loader may put the information between two sections. */
static bool is_outside(u32 start, u32 end) {
    u32 information = (u32)multiboot_info;
    return !overlap(start, end, information, information + multiboot_info->total_size);
}

void check_sections(void) {
    const struct sections *s = find_tag(TAG_ELF_SECTIONS);
    if (!s || !s->count) { /* for other formats, GRUB 2.06 gives an empty list */
        skip_because("ELF sections", "the image is flat");
        check("the information lies outside the image", is_outside((u32)image_start, (u32)image_end), true);
        return;
    }
    check("the size of an ELF section header", s->entry_size, sizeof(struct section));
    check("the section headers fill their tag", s->tag.size, sizeof *s + s->count * s->entry_size);
    check("the section with the names is one of them", s->names < s->count, true);
    if (s->entry_size != sizeof(struct section) || s->names >= s->count) return;

    const char *names = (const char *)s->first[s->names].address;
    u32 text = 0;
    for (u32 i = 1; i < s->count; i++)
        if (string_equal(names + s->first[i].name, ".text")) text = s->first[i].address;
    check("section .text is where the image starts", text, (u32)image_start);

    struct tally places = {0};
    for (u32 i = 1; i < s->count; i++) {
        u32 start = s->first[i].address, end = start + s->first[i].size;
        tally(&places, is_usable(start, end) && is_outside(start, end), names + s->first[i].name);
    }
    check_tally("every section is in usable memory, and the information in none", &places);

    const struct symbol *symbol = find_symbol(s, "guest_main");
    check("the symbol table knows guest_main", symbol ? symbol->value : 0, (u32)guest_main);
}
