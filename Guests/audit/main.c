/* Runs each row in ring 0 and in ring 3, checks ring 0's answer, and reports everything on port 0xE9, one line a row:
 *
 *     row FORM;CODE;WORDS;MUST;RING 0;RING 3
 *
 * with CODE in hexadecimal, and the last three as "VECTOR ERROR EAX EDX"; MUST is "-" if only the reader can know. */
#include "audit.h"
#include "paging.h"

const char guest_name[] = "audit";

enum { DEBUG_CONSOLE = 0xE9 };
static u32 first_cr0;
static struct tss second_tss;

static void debug_text(const char *text) {
    while (*text) outb(DEBUG_CONSOLE, *text++);
}

static void debug_hex(u32 value, u32 digits) {
    while (digits--) outb(DEBUG_CONSOLE, "0123456789abcdef"[value >> digits * 4 & 15]);
}

static void debug_outcome(const struct outcome *outcome) {
    debug_hex(outcome->vector, 2);
    debug_text(" ");
    debug_hex(outcome->error, 8);
    debug_text(" ");
    debug_hex(outcome->eax, 8);
    debug_text(" ");
    debug_hex(outcome->edx, 8);
}

/* As it was at the start, whatever a row did. */
static void restore(void) {
    write_cr0(first_cr0);
    asm volatile("lgdt gdt_descriptor; lidt idt_descriptor; lldt %w0" : : "r"(0));
    set_gdt(LDT_SELECTOR, descriptor((u32)idt, 7, LDT, 0));
    set_gdt(SECOND_TSS, descriptor((u32)&second_tss, sizeof second_tss - 1, TSS32, 0));
    set_gdt(TSS_SELECTOR, descriptor((u32)&main_tss, sizeof main_tss - 1, TSS32, 0));
    asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
    write_dr0(0);
    write_cr3(0);
    outb(0x21, 0xFF);
    wrmsr(SYSENTER_CS, 0);
    trap_handlers[0x20] = 0;
}

static struct outcome run(const struct row *row, bool is_outer) {
    memset((void *)DATA_ADDRESS, 0, 64);
    u32 length = row->end - row->begin;
    memcpy((void *)CODE_ADDRESS, row->begin, length);
    memcpy((u8 *)CODE_ADDRESS + length, "\xCD\x30", 2); /* int $REACHED */
    if (row->prepare) row->prepare();
    u32 eax = 0, edx = 0, esi = DATA_ADDRESS, edi = CODE_ADDRESS;
    if (is_outer) probe_outer("jmp *%%edi", "+a"(eax), "+d"(edx), "+S"(esi), "+D"(edi) : : "ecx", "memory");
    else probe("jmp *%%edi", "+a"(eax), "+d"(edx), "+S"(esi), "+D"(edi) : : "ecx", "memory");
    restore();
    return (struct outcome){trap.vector, trap.error, trap.eax, trap.edx};
}

static void report(const struct row *row, const struct outcome *inner, const struct outcome *outer) {
    debug_text("row ");
    debug_text(row->form);
    debug_text(";");
    for (const u8 *byte = row->begin; byte < row->end; byte++) debug_hex(*byte, 2);
    debug_text(";");
    debug_hex(row->words, 1);
    debug_text(";");
    if (row->is_open) debug_text("-");
    else debug_outcome(&row->must);
    debug_text(";");
    debug_outcome(inner);
    debug_text(";");
    debug_outcome(outer);
    debug_text("\n");
}

void audit(struct row row) {
    struct outcome inner = run(&row, false), outer = run(&row, true);
    report(&row, &inner, &outer);
    if (row.is_open) return;
    char got[64], must[64];
    u32 words = row.words;
    const struct outcome *o = &inner;
    format(got, "vector %x %x %x", o->vector, words > 0 ? o->eax : 0, words > 1 ? o->edx : 0);
    o = &row.must;
    format(must, "vector %x %x %x", o->vector, words > 0 ? o->eax : 0, words > 1 ? o->edx : 0);
    check_string(row.form, got, must);
}

void guest_main(void) {
    first_cr0 = read_cr0();
    /* What user programs may use, as in other systems. */
    set_idt(BP, default_gate(BP, 3));
    set_idt(OF, default_gate(OF, 3));
    set_idt(0x80, default_gate(0x80, 3));
    restore();
    tables();
    flags();
    segments();
    transfers();
    processor();
    devices();
}
