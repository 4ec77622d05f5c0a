/* IN and OUT outside ring 0: IOPL, then the permission bitmap in the TSS (SDM 1 19.5). */
#include "gates.h"

/* A TSS with a bitmap for the first 256 ports and the byte of ones the manual asks for. */
static struct { struct tss tss; u8 map[33]; } bitmap;
enum { TSS_WITH_MAP = SPARE(0), PORT = 0x80, LIMIT = sizeof(struct tss) + sizeof bitmap.map - 1 };

static void use(u16 selector, u32 base, u32 limit) {
    set_gdt(selector, descriptor(base, limit, TSS32, 0));
    asm volatile("ltr %w0" : : "r"(selector));
}

static void allow(u32 port) { bitmap.map[port >> 3] &= ~(1 << (port & 7)); }
static void forbid_all(void) { memset(bitmap.map, 0xFF, sizeof bitmap.map); }

static bool byte_allowed(u32 port) {
    probe_outer("outb %%al, %%dx", : "a"(0), "d"(port));
    return trap.vector == REACHED;
}

static void by_bitmap(void) {
    memcpy(&bitmap.tss, &main_tss, sizeof main_tss);
    bitmap.tss.io_map = sizeof bitmap.tss;
    use(TSS_WITH_MAP, (u32)&bitmap, LIMIT);
    forbid_all();
    probe_outer("outb %%al, %%dx", : "a"(0), "d"(PORT));
    check_fault("#GP OUT, bit set", GP, 0);
    probe_outer("inb %%dx, %%al", : "d"(PORT) : "eax");
    check_fault("#GP IN, bit set", GP, 0);
    allow(PORT);
    probe_outer("outb %%al, %%dx", : "a"(0), "d"(PORT));
    check_vector("OUT, bit clear", REACHED, 0);
    probe_outer("outb %%al, $0x80", : "a"(0));
    check_vector("OUT imm8, bit clear", REACHED, 0);
    probe_outer("outw %%ax, %%dx", : "a"(0), "d"(PORT));
    check_fault("#GP OUT of a word, one of two bits set", GP, 0);
    allow(PORT + 1);
    probe_outer("outw %%ax, %%dx", : "a"(0), "d"(PORT));
    check_vector("OUT of a word, both bits clear", REACHED, 0);
    allow(PORT + 2);
    probe_outer("outl %%eax, %%dx", : "a"(0), "d"(PORT));
    check_fault("#GP OUT of a doubleword, one of four bits set", GP, 0);
    allow(PORT + 3);
    probe_outer("outl %%eax, %%dx", : "a"(0), "d"(PORT));
    check_vector("OUT of a doubleword, all bits clear", REACHED, 0);
    static u8 byte;
    probe_outer("outsb", : "S"(&byte), "d"(PORT + 3));
    check_vector("OUTSB, bit clear", REACHED, 0);
    probe_outer("rep outsb", : "S"(&byte), "d"(PORT + 4), "c"(3));
    check_fault("#GP REP OUTSB, bit set", GP, 0);
    check("#GP REP OUTSB leaves ECX alone", trap.ecx, 3);
    /* Bits of two bytes of the map. */
    forbid_all();
    allow(0x87), allow(0x88);
    probe_outer("outw %%ax, %%dx", : "a"(0), "d"(0x87));
    check_vector("OUT of a word, bits in two bytes of the map", REACHED, 0);
    struct tally t = {0};
    for (u32 lone = 0; lone < 8; lone++) {
        forbid_all();
        allow(PORT + lone);
        for (u32 port = PORT; port < PORT + 8; port++) {
            char text[64];
            format(text, "bit of %x clear, port %x", PORT + lone, port);
            tally(&t, byte_allowed(port) == (port == PORT + lone), text);
        }
    }
    check_tally("each port has its own bit", &t);
}

static void by_limit(void) {
    memset(bitmap.map, 0, sizeof bitmap.map);
    check("port 0xFF is within the map", byte_allowed(0xFF), true);
    use(SPARE(1), (u32)&bitmap, LIMIT - 1); /* the byte of ones is beyond the limit */
    probe_outer("outb %%al, %%dx", : "a"(0), "d"(0xFF));
    check_fault("#GP the map's second byte is beyond the limit", GP, 0);
    check("port 0xF0 is still within it", byte_allowed(0xF0), true);
    probe_outer("outb %%al, %%dx", : "a"(0), "d"(0x180));
    check_fault("#GP a port beyond the map", GP, 0);
    use(SPARE(2), (u32)&main_tss, sizeof main_tss - 1);
    probe_outer("outb %%al, %%dx", : "a"(0), "d"(PORT));
    check_fault("#GP no map at all", GP, 0);
}

static void by_privilege_level(void) {
    struct tally t = {0};
    for (u32 ring = 1; ring < 4; ring++)
        for (u32 iopl = 0; iopl < 4; iopl++) {
            char text[64], *end = format(text, "ring %u IOPL %u: ", ring, iopl);
            enter_from(ring);
            outer_eflags = iopl << 12 | 2;
            bool allowed = byte_allowed(PORT);
            describe_trap(end, &trap);
            tally(&t, allowed == (ring <= iopl), text);
        }
    check_tally("OUT by ring and IOPL", &t);
    ring_reset();
    probe("outb %%al, %%dx", : "a"(0), "d"(PORT));
    check_no_trap("OUT in ring 0");
}

void ports(void) {
    by_bitmap();
    by_limit();
    by_privilege_level();
    use(TSS_SELECTOR, (u32)&main_tss, sizeof main_tss - 1);
}
