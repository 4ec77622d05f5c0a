/* The same code at many addresses, and across page boundaries. */
#include "smc.h"

/* Position-independent: EAX = 3 * ECX + the address it runs at. */
SNIPPET(mobile, "call 1f; 1: popl %eax; subl $5, %eax; leal (%ecx,%ecx,2), %ecx; addl %ecx, %eax; ret; mobile_end:");
extern const u8 mobile_end[];

void copies(void) {
    u32 size = mobile_end - mobile, right = 0, total = 0;
    for (u32 offset = 0; offset + size < sizeof arena; offset += 61) {
        u32 result;
        memcpy(arena + offset, mobile, size);
        asm volatile("call *%1" : "=a"(result) : "r"(arena + offset), "c"(offset) : "edx", "memory", "cc");
        right += result == (u32)arena + offset + 3 * offset;
        total++;
    }
    check("copied to many addresses and run at each", right, total);
    check("how many", total > 250, true);

    right = 0;
    for (u32 before = 1; before < 6; before++) {
        u8 *at = arena + PAGE - before;
        for (u32 i = 0; i < 20; i++) {
            write_return(at, i * 0x00010001);
            right += call(at) == i * 0x00010001;
            arena[PAGE + (5 - before)] = 0xC3; /* the RET, or nothing new */
        }
    }
    check("an instruction across two pages, patched 100 times", right, 100);
    u8 *at = arena + PAGE - 3;
    write_return(at, 0x11111111);
    call(at);
    arena[PAGE] = 0x22; /* in the second page only */
    check("its second page alone", call(at), 0x11221111);
    arena[PAGE - 2] = 0x33; /* in the first page only */
    check("its first page alone", call(at), 0x11221133);

    /* The same bytes entered in the middle: B8 B0 11 B4 22 C3 is MOV EAX, 0x22B411B0, or from 1 MOV AL, 0x11; MOV AH, 0x22. */
    static const u8 overlapping[] = {0xB8, 0xB0, 0x11, 0xB4, 0x22, 0xC3};
    memcpy(arena, overlapping, sizeof overlapping);
    u32 sum = 0, result;
    for (u32 i = 0; i < 10; i++) {
        sum += call(arena) == 0x22B411B0;
        asm volatile("call *%1" : "=a"(result) : "r"(arena + 1), "0"(0) : "memory");
        sum += result == 0x2211;
        asm volatile("call *%1" : "=a"(result) : "r"(arena + 3), "0"(0) : "memory");
        sum += result == 0x2200;
    }
    check("one stream of bytes entered at three places", sum, 30);
    arena[2] = 0x55; /* belongs to all readings but the last */
    asm volatile("call *%1" : "=a"(result) : "r"(arena + 1), "0"(0) : "memory");
    check("patched: read from the middle", result, 0x2255);
    check("patched: read from the front", call(arena), 0x22B455B0);
}
