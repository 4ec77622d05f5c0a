/* Something to look at: a banner, the machine's memory map and processor, and two seconds of a clock, on the serial port and on
 * the screen; then it switches the machine off. */
#include "guest.h"

const char guest_name[] = "demo";
extern u32 multiboot_magic;

/* Multiboot 0.6.96, 3.3. */
struct multiboot {
    u32 flags, lower_kib, upper_kib, boot_device, command_line, module_count, modules, symbols[4], map_length, map;
};
extern const struct multiboot *multiboot_info;
struct region { u32 size; u64 base, length; u32 type; } __attribute__((packed));
enum { BOOTED = 0x2BADB002, HAS_MAP = 1 << 6, USABLE = 1 };

enum { WIDTH = 80, CYAN = 0x0B, WHITE = 0x0F, GREEN = 0x0A };
static volatile u16 *const screen = (volatile u16 *)0xB8000;

static void show(u32 row, u32 colour, const char *text) {
    volatile u16 *at = screen + row * WIDTH + 2;
    print("%s\n", text);
    while (*text) *at++ = (u16)(colour << 8 | (u8)*text++);
}

static void processor(u32 row) {
    char text[96], brand[13];
    struct cpuid id = cpuid(0);
    u32 words[3] = {id.ebx, id.edx, id.ecx};
    memcpy(brand, words, 12);
    brand[12] = 0;
    format(text, "processor  %s, signature %x, features %x", brand, cpuid(1).eax, cpuid(1).edx);
    show(row, WHITE, text);
}

static u32 memory_map(u32 row) {
    char text[96];
    if (multiboot_magic != BOOTED || !multiboot_info || !(multiboot_info->flags & HAS_MAP)) {
        show(row, WHITE, "memory     the loader gave no map");
        return row + 1;
    }
    u32 usable = 0, end = multiboot_info->map + multiboot_info->map_length;
    for (u32 at = multiboot_info->map; at < end;) {
        const struct region *r = (const struct region *)at;
        if (r->base < 0xFFFFFFFF) {
            const char *kind = r->type == USABLE ? "usable" : "reserved";
            format(text, "memory     %x, %u KiB, %s", (u32)r->base, (u32)(r->length >> 10), kind);
            show(row++, WHITE, text);
        }
        if (r->type == USABLE) usable += (u32)(r->length >> 10);
        at += r->size + 4;
    }
    check("the map has usable memory", usable >= 640, true);
    return row;
}

enum { PIT_HZ = 1193182, TICKS_A_SECOND = 100 };
static volatile u32 ticks;
static void tick(struct trap_frame *f) {
    ticks++;
    outb(0x20, 0x20);
}

/* The 8259As at vectors 0x20 and 0x28 with IRQ 0 alone unmasked; channel 0 of the 8254 periodic. */
static void start_clock(void) {
    trap_handlers[0x20] = tick;
    outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 4), outb(0x21, 1);
    outb(0xA0, 0x11), outb(0xA1, 0x28), outb(0xA1, 2), outb(0xA1, 1);
    outb(0x21, 0xFE), outb(0xA1, 0xFF);
    outb(0x43, 0x34);
    outb(0x40, PIT_HZ / TICKS_A_SECOND & 0xFF), outb(0x40, PIT_HZ / TICKS_A_SECOND >> 8);
}

static u8 second(void) {
    outb(0x70, 0);
    return inb(0x71);
}

static void next_second(void) {
    for (u8 now = second(); second() == now;) asm volatile("sti; hlt; cli");
}

void guest_main(void) {
    for (u32 i = 0; i < WIDTH * 25; i++) screen[i] = 0x0720;
    show(1, CYAN, "Hello. This is a kernel without an operating system.");
    show(2, CYAN, "It believes that it runs in ring 0 of a machine of its own.");
    processor(4);
    u32 row = memory_map(5) + 1;
    start_clock();
    next_second();
    u32 first = ticks;
    for (u32 i = 1; i <= 2; i++) {
        char text[64];
        next_second();
        format(text, "second %u: %u ticks", i, ticks - first);
        show(row++, GREEN, text);
    }
    /* Two clocks of the machine, the 8254 and the RTC, have to agree to 5 per cent. */
    u32 counted = ticks - first;
    check("100 ticks a second, by the real-time clock", counted >= 190 && counted <= 210, true);
    show(row + 1, CYAN, "That is all. Good-bye.");
}
