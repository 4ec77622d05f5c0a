/* Checks what a Multiboot 2 loader promises (Multiboot2 Specification 2.0). Where it was given something, that has to be
 *
 *   the command line   one two
 *   the first module   what `seq 2000` prints, with a string that ends in "three four"
 *   the second module  what `seq 3` prints
 */
#include "multiboot2.h"

const char guest_name[] = "multiboot2";
extern const u32 multiboot_magic;
enum { BOOTED = 0x36D76289 };

static const struct tag *after(const struct tag *tag) { return (const struct tag *)((u32)tag + ((tag->size + 7) & ~7)); }
static const struct tag *end(void) { return (const struct tag *)((u32)multiboot_info + multiboot_info->total_size); }

static const struct tag *seek(const struct tag *tag, u32 type) {
    for (; tag->type != TAG_END; tag = after(tag))
        if (tag->type == type) return tag;
    return 0;
}

const void *find_tag(u32 type) { return seek(multiboot_info->first, type); }
const void *next_tag(const void *tag) { return seek(after(tag), ((const struct tag *)tag)->type); }

bool ends_with_tag(const struct tag *tag, const char *string) {
    const char *last = (const char *)tag + tag->size - 1;
    while (string < last && *string) string++;
    return string == last && !*string;
}

/* 3.6.1, 3.6.2. False if the tags cannot be followed to their end. */
static bool walk(void) {
    const struct tag *tag = multiboot_info->first;
    bool seen[32] = {0};
    u32 repeated = 0;
    while (tag + 1 <= end() && tag->type != TAG_END && tag->size >= sizeof *tag && tag->size <= multiboot_info->total_size) {
        if (tag->type < length_of(seen) && tag->type != TAG_MODULE) {
            if (seen[tag->type]) repeated++;
            seen[tag->type] = true;
        }
        tag = after(tag);
    }
    bool whole = tag + 1 == end() && tag->type == TAG_END;
    check("the tags lead to an end tag, there where the total size says", whole, true);
    if (!whole) return false;
    check("the end tag has the size of a tag", tag->size, sizeof *tag);
    check("no tag but those of modules is there twice", repeated, 0);
    return true;
}

/* 3.6.3, 3.6.5. */
static void check_strings(void) {
    const struct { struct tag tag; char text[]; } *line = find_tag(TAG_COMMAND_LINE), *name = find_tag(TAG_LOADER_NAME);
    if (!line || !*line->text) {
        skip_because("the command line", "none was given");
    } else {
        check("the command line ends with its tag", ends_with_tag(&line->tag, line->text), true);
        check_string("the command line", line->text, "one two");
    }
    check("the loader has a name", name && *name->text && ends_with_tag(&name->tag, name->text), true);
}

void guest_main(void) {
    check("EAX holds the loader's magic", multiboot_magic, BOOTED);
    if (multiboot_magic != BOOTED) return;
    check_state();
    check("the information is on an 8-byte boundary", (u32)multiboot_info & 7, 0);
    check("its second field is reserved", multiboot_info->reserved, 0);
    if (!walk()) return;
    check_strings();
    check_memory();
    check_modules();
    check_sections();
    check_devices();
}
