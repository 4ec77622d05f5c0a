/* The real-time clock's periodic interrupt: IRQ 8, through the slave (MC146818A data sheet). */
#include "interrupts.h"

enum { INDEX = 0x70, VALUE = 0x71, REGISTER_A = 0x0A, REGISTER_B = 0x0B, REGISTER_C = 0x0C, PERIODIC = 0x40 };

static u8 read_rtc(u8 index) {
    outb(INDEX, index);
    return inb(VALUE);
}

static void write_rtc(u8 index, u8 value) {
    outb(INDEX, index);
    outb(VALUE, value);
}

void clock(void) {
    u8 a = read_rtc(REGISTER_A), b = read_rtc(REGISTER_B);
    forget();
    write_rtc(REGISTER_A, (a & 0xF0) | 6); /* 1,024 Hz */
    read_rtc(REGISTER_C);
    write_rtc(REGISTER_B, b | PERIODIC);
    set_mask((u16)~(1 << CASCADE));
    while (!(pic_register(SLAVE, READ_IRR) & 1)) {}
    asm volatile("sti; nop; nop; cli" : : : "memory");
    check("IRQ 8 masked at the slave is not delivered", seen[CLOCK].count, 0);
    set_mask((u16)~(1 << CLOCK));
    asm volatile("sti; nop; nop; cli" : : : "memory");
    check("IRQ 8 with IRQ 2 masked at the master is not delivered", seen[CLOCK].count, 0);
    set_mask((u16)~(1 << CASCADE | 1 << CLOCK));
    asm volatile("sti; nop; nop; cli" : : : "memory");
    check("IRQ 8 is delivered through the cascade", seen[CLOCK].count >= 1, true);
    check("IRQ 8: the slave has it in service", seen[CLOCK].isr, 1);
    u32 before = seen[CLOCK].count;
    for (u32 i = 0; i < 5; i++) asm volatile("sti; hlt; cli" : : : "memory");
    check("IRQ 8 repeats when register C is read", seen[CLOCK].count >= before + 5, true);
    check("nothing is left in service at the master", pic_register(MASTER, READ_ISR), 0);
    write_rtc(REGISTER_B, b & ~PERIODIC);
    write_rtc(REGISTER_A, a);
    read_rtc(REGISTER_C);
    set_mask(0xFFFF);
}
