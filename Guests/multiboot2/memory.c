/* Basic memory information and the memory map (Multiboot2 3.6.4, 3.6.8). */
#include "multiboot2.h"

struct map { struct tag tag; u32 entry_size, version; };

static const struct map *map(void) { return find_tag(TAG_MEMORY_MAP); }

static const struct region *region(u32 index) {
    u32 offset = sizeof(struct map) + index * map()->entry_size;
    return offset + sizeof(struct region) <= map()->tag.size ? (const void *)((u32)map() + offset) : 0;
}

/* The usable region that holds `address`, or null. */
static const struct region *usable_at(u32 address) {
    const struct region *r;
    for (u32 i = 0; (r = region(i)); i++)
        if (r->type == USABLE && r->base <= address && address - r->base < r->length) return r;
    return 0;
}

bool is_usable(u32 start, u32 end) {
    const struct region *r = usable_at(start);
    return r && end - r->base <= r->length;
}

static void check_order(void) {
    struct tally order = {0}, types = {0};
    const struct region *r;
    char text[64];
    u64 end = 0;
    for (u32 i = 0; (r = region(i)); i++) {
        format(text, "region %u: %x, %x, type %u", i, (u32)r->base, (u32)r->length, r->type);
        tally(&order, r->length && r->base >= end, text);
        tally(&types, r->type != 0, text);
        end = r->base + r->length;
    }
    check_tally("the map is sorted, without overlaps and empty regions", &order);
    check_tally("every region of the map has a type", &types);
}

/* The memory at 1 MiB is memory to its end. */
static void check_end(const struct region *high) {
    volatile u32 *last = (volatile u32 *)((u32)high->base + (u32)high->length - 4);
    u32 before = *last;
    *last = 0x600D;
    check("the last word of usable memory keeps what is written", *last, 0x600D);
    *last = before;
}

void check_memory(void) {
    const struct { struct tag tag; u32 lower_kib, upper_kib; } *basic = find_tag(TAG_BASIC_MEMORY);
    check("there are basic memory information and a map", basic && map(), true);
    if (!basic || !map()) return;
    check("the map's entries have room for a region", map()->entry_size >= sizeof(struct region), true);
    check("their size is a multiple of 8", map()->entry_size & 7, 0);
    check("the map's version", map()->version, 0);
    if (!map()->entry_size) return;
    check("the map's entries fill its tag", (map()->tag.size - sizeof(struct map)) % map()->entry_size, 0);
    check_order();

    const struct region *low = usable_at(0), *high = usable_at(1 << 20);
    check("the map has usable memory at 0 and at 1 MiB", low && high, true);
    if (!low || !high) return;
    check("basic information and map agree on what is below 1 MiB", basic->lower_kib, (u32)(low->length >> 10));
    check("and on what is above", basic->upper_kib, (u32)((high->base + high->length) >> 10) - 1024);
    check("the image lies in usable memory", is_usable((u32)image_start, (u32)image_end), true);
    u32 information = (u32)multiboot_info;
    check("so does the information", is_usable(information, information + multiboot_info->total_size), true);
    check_end(high);
}
