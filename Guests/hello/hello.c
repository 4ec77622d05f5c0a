/* The smallest guest: a line on the serial port, a line in VGA text memory, and the way out. */
#include "guest.h"

const char guest_name[] = "hello";

void guest_main(void) {
    static const char greeting[] = "Hello from ring 0";
    volatile u16 *screen = (u16 *)0xB8000;
    print("%s\n", greeting);
    for (u32 i = 0; greeting[i]; i++) screen[i] = 0x0F00 | greeting[i];

    u32 cs;
    asm("movl %%cs, %0" : "=r"(cs));
    check("current privilege level", cs & 3, 0);
    check("text memory holds what was written", screen[0], 0x0F00 | 'H');
}
