/* Modules (Multiboot2 3.6.6). */
#include "multiboot2.h"

/* Whether the module is what `seq count` prints. */
static bool is_sequence(const struct module *m, u32 count) {
    const char *at = (const char *)m->start, *end = (const char *)m->end;
    char line[16];
    for (u32 i = 1; i <= count; i++) {
        u32 length = format(line, "%u\n", i) - line;
        if (length > (u32)(end - at) || memcmp(at, line, length)) return false;
        at += length;
    }
    return at == end;
}

static bool ends_in(const char *string, const char *words) {
    for (; *string; string++)
        if (string_equal(string, words)) return true;
    return false;
}

/* Each on a page boundary, in usable memory, and on top of nothing else. */
static void check_places(const struct module *first) {
    struct tally places = {0};
    char text[64];
    u32 information = (u32)multiboot_info;
    for (const struct module *m = first; m; m = next_tag(m)) {
        format(text, "%x to %x", m->start, m->end);
        bool right = !(m->start & 0xFFF) && m->start < m->end && is_usable(m->start, m->end) &&
            !overlap(m->start, m->end, (u32)image_start, (u32)image_end) &&
            !overlap(m->start, m->end, information, information + multiboot_info->total_size);
        for (const struct module *other = next_tag(m); other; other = next_tag(other))
            right = right && !overlap(m->start, m->end, other->start, other->end);
        tally(&places, right, text);
    }
    check_tally("modules are on pages of their own, in usable memory", &places);
}

void check_modules(void) {
    const struct module *first = find_tag(TAG_MODULE), *second = first ? next_tag(first) : 0;
    if (!first) {
        skip_because("modules", "none were given");
        return;
    }
    check("the first module's string ends with its tag", ends_with_tag(&first->tag, first->string), true);
    check("the first module's string", ends_in(first->string, "three four"), true);
    check("the first module's contents", is_sequence(first, 2000), true);
    if (second) check("the second module's contents", is_sequence(second, 3), true);
    else skip_because("the second module's contents", "none was given");
    check_places(first);
}
