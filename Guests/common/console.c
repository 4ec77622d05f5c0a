#include "guest.h"
#include <stdarg.h>

enum { COM1 = 0x3F8, DATA = 0, INTERRUPT_ENABLE = 1, FIFO = 2, LINE_CONTROL = 3, MODEM_CONTROL = 4, LINE_STATUS = 5 };

/* 16550 data sheet, "programming table": divisor latch, then 8N1, FIFOs on, no interrupts. */
void console_init(void) {
    outb(COM1 + LINE_CONTROL, 0x80);
    outb(COM1 + DATA, 1); /* 115,200 baud */
    outb(COM1 + INTERRUPT_ENABLE, 0);
    outb(COM1 + LINE_CONTROL, 0x03);
    outb(COM1 + INTERRUPT_ENABLE, 0);
    outb(COM1 + FIFO, 0x07);
    outb(COM1 + MODEM_CONTROL, 0x0B); /* DTR, RTS, and OUT2, which lets interrupts through */
}

static void put(char c) {
    while (!(inb(COM1 + LINE_STATUS) & 0x20)) {}
    outb(COM1 + DATA, c);
}

static char *number(char *to, u32 value, u32 base) {
    char digits[10];
    u32 n = 0;
    do digits[n++] = "0123456789ABCDEF"[value % base]; while (value /= base);
    while (n) *to++ = digits[--n];
    return to;
}

static char *format_list(char *to, const char *from, va_list arguments) {
    for (; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        switch (*++from) {
        case 's': for (const char *s = va_arg(arguments, const char *); *s; s++) *to++ = *s; break;
        case 'u': to = number(to, va_arg(arguments, u32), 10); break;
        case 'x': *to++ = '0', *to++ = 'x', to = number(to, va_arg(arguments, u32), 16); break;
        case 'c': *to++ = va_arg(arguments, int); break;
        default: *to++ = *from;
        }
    }
    *to = 0;
    return to;
}

char *format(char *to, const char *from, ...) {
    va_list arguments;
    va_start(arguments, from);
    to = format_list(to, from, arguments);
    va_end(arguments);
    return to;
}

void print(const char *from, ...) {
    static char line[512];
    va_list arguments;
    va_start(arguments, from);
    format_list(line, from, arguments);
    va_end(arguments);
    for (const char *s = line; *s; s++) {
        if (*s == '\n') put('\r');
        put(*s);
    }
}
