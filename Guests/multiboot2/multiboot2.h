/* What a Multiboot 2 loader leaves in memory (Multiboot2 Specification 2.0, 3.6). */
#pragma once
#include "guest.h"

enum {
    TAG_END = 0, TAG_COMMAND_LINE = 1, TAG_LOADER_NAME = 2, TAG_MODULE = 3, TAG_BASIC_MEMORY = 4, TAG_MEMORY_MAP = 6,
    TAG_FRAMEBUFFER = 8, TAG_ELF_SECTIONS = 9, TAG_OLD_RSDP = 14, TAG_NEW_RSDP = 15,
};

/* `size` counts these eight bytes, but not the padding before the next tag. */
struct tag { u32 type, size; };
struct information { u32 total_size, reserved; struct tag first[]; };
struct module { struct tag tag; u32 start, end; char string[]; };
struct region { u64 base, length; u32 type, reserved; };
enum { USABLE = 1 };

extern const struct information *multiboot_info;
extern u8 image_start[], image_end[];

/* The first tag of this type, or null. */
const void *find_tag(u32 type);
/* The next tag of the same type, or null. */
const void *next_tag(const void *tag);
/* Whether `string` ends inside `tag`, with the tag's last byte. */
bool ends_with_tag(const struct tag *tag, const char *string);
/* Whether usable memory, by the map, holds all bytes from `start` to `end`. */
bool is_usable(u32 start, u32 end);
static inline bool overlap(u32 start, u32 end, u32 other_start, u32 other_end) {
    return start < other_end && other_start < end;
}

void check_state(void);
void check_memory(void);
void check_modules(void);
void check_sections(void);
void check_devices(void);
