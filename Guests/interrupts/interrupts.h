#pragma once
#include "guest.h"

void controller(void);
void priorities(void);
void timer(void);
void clock(void);
void serial(void);
void shadows(void);
void long_instructions(void);

/* 8259A data sheet: ports and commands. */
enum { MASTER = 0x20, SLAVE = 0xA0, DATA = 1 };
enum { EOI = 0x20, READ_IRR = 0x0A, READ_ISR = 0x0B, POLL = 0x0C };
enum { IRQ_BASE = 0x20, TIMER = 0, CASCADE = 2, SERIAL = 4, CLOCK = 8 };

/* Both controllers anew: vectors 0x20 and 0x28, everything masked; `auto_eoi` for the master. */
void reset_controllers(bool auto_eoi);
void set_mask(u16 mask);                /* bit n: IRQ n is masked */
u8 pic_register(u16 pic, u8 which);     /* READ_IRR or READ_ISR */
void end_of_interrupt(u32 irq);

/* Makes IRQ 0 pending, interrupts being disabled, and waits until the controller shows it. */
void make_timer_pending(void);
/* Stops channel 0: its output goes low and stays there for 55 ms. */
void quiet_timer(void);

/* What the handler of an interrupt noted. */
struct seen { u32 count, eip, eflags, inside, isr; };
extern struct seen seen[16];
void forget(void);
/* Handlers that note and acknowledge. */
void note(struct trap_frame *);
void handle(u32 irq, trap_handler *);
