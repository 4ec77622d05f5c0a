/* The same bytes as 32-bit and as 16-bit code, and at two linear addresses through two bases. */
#include "smc.h"

/* B8 34 12 00 00 then: in 32-bit code MOV EAX, 0x1234; in 16-bit code MOV AX, 0x1234; ADD [BX+SI], AL. BX + SI points to a
 * cell, AL is 0x34. Then INT 0x30. */
void modes(void) {
    static const u8 bytes[] = {0xB8, 0x34, 0x12, 0x00, 0x00, 0xCD, 0x30};
    memcpy(arena, bytes, sizeof bytes);
    static const struct far_pointer wide = {0, SPARE(0)}, narrow = {0, SPARE(1)};
    set_gdt(SPARE(0), descriptor((u32)arena, 0xFFFF, CODE_XR, BIG));
    set_gdt(SPARE(1), descriptor((u32)arena, 0xFFFF, CODE_XR, 0));
    volatile u8 *cell = (volatile u8 *)0x9000;
    struct tally t = {0};
    for (u32 i = 0; i < 10; i++) {
        char text[64];
        *cell = 1;
        probe("ljmp *%0", : "m"(wide), "a"(0xFFFFFFFF), "b"(0x9000), "S"(0));
        format(text, "32-bit: EAX %x cell %x", trap.eax, *cell);
        tally(&t, trap.eax == 0x1234 && *cell == 1 && trap.eip == 7, text);
        probe("ljmp *%0", : "m"(narrow), "a"(0xFFFFFFFF), "b"(0x9000), "S"(0));
        format(text, "16-bit: EAX %x cell %x", trap.eax, *cell);
        tally(&t, trap.eax == 0xFFFF1234 && *cell == 0x35 && trap.eip == 7, text);
    }
    check_tally("the same bytes as 32-bit and 16-bit code", &t);

    /* EIP is relative to the base: the same linear code, CALL pushes different offsets. */
    static const u8 where[] = {0xE8, 0, 0, 0, 0, 0x58, 0xCD, 0x30}; /* CALL to the next; POP EAX; INT 0x30 */
    memcpy(arena + 256, where, sizeof where);
    static const struct far_pointer near = {256, SPARE(0)}, far = {128, SPARE(2)};
    set_gdt(SPARE(2), descriptor((u32)arena + 128, 0xFFFF, CODE_XR, BIG));
    t = (struct tally){0};
    for (u32 i = 0; i < 10; i++) {
        char text[64];
        probe("ljmp *%0", : "m"(near) : "eax");
        format(text, "first base: EAX %x", trap.eax);
        tally(&t, trap.eax == 256 + 5 && trap.eip == 256 + 8, text);
        probe("ljmp *%0", : "m"(far) : "eax");
        format(text, "second base: EAX %x", trap.eax);
        tally(&t, trap.eax == 128 + 5 && trap.eip == 128 + 8, text);
    }
    check_tally("the same code through two bases", &t);
}
