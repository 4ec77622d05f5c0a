/* Instructions that ring 3 may not execute, and control register contents that nobody may load: #GP(0). */
#include "guest.h"
#include "paging.h"
#include "exceptions.h"

static u8 operand[16];

static void in_ring_3(void) {
#define PRIVILEGED(name, code)                                          \
    probe_outer(code, : "a"(0), "b"(operand), "c"(0x10), "d"(0x3F8));   \
    check_fault("#GP in ring 3: " name, GP, 0)
    PRIVILEGED("CLI", "cli");
    PRIVILEGED("STI", "sti");
    PRIVILEGED("HLT", "hlt");
    PRIVILEGED("CLTS", "clts");
    PRIVILEGED("INVD", "invd");
    PRIVILEGED("WBINVD", "wbinvd");
    PRIVILEGED("INVLPG", "invlpg (%%ebx)");
    PRIVILEGED("LGDT", "lgdt (%%ebx)");
    PRIVILEGED("LIDT", "lidt (%%ebx)");
    PRIVILEGED("LLDT", "lldt %%ax");
    PRIVILEGED("LTR", "ltr %%ax");
    PRIVILEGED("LMSW", "lmsw %%ax");
    PRIVILEGED("MOV from CR0", "movl %%cr0, %%eax");
    PRIVILEGED("MOV to CR0", "movl %%eax, %%cr0");
    PRIVILEGED("MOV from CR2", "movl %%cr2, %%eax");
    PRIVILEGED("MOV from CR3", "movl %%cr3, %%eax");
    PRIVILEGED("MOV to CR3", "movl %%eax, %%cr3");
    PRIVILEGED("MOV from CR4", "movl %%cr4, %%eax");
    PRIVILEGED("MOV from DR7", "movl %%dr7, %%eax");
    PRIVILEGED("MOV to DR0", "movl %%eax, %%dr0");
    PRIVILEGED("RDMSR", "rdmsr");
    PRIVILEGED("WRMSR", "wrmsr");
    PRIVILEGED("RDPMC", "rdpmc");
    PRIVILEGED("IN", "inb %%dx, %%al");
    PRIVILEGED("OUT", "outb %%al, $0x80");
    PRIVILEGED("INSB", "insb");
    PRIVILEGED("OUTSD", "outsl");
#undef PRIVILEGED
}

static void time_stamp(void) {
    if (!cpu_has(CPU_TSC)) return skip("RDTSC and CR4.TSD", "TSC");
    probe_outer("rdtsc", : : "eax", "edx");
    check_vector("RDTSC in ring 3", REACHED, 0);
    write_cr4(read_cr4() | CR4_TSD);
    probe_outer("rdtsc", : : "eax", "edx");
    check_fault("#GP RDTSC in ring 3 with CR4.TSD", GP, 0);
    probe("rdtsc", : : "eax", "edx");
    check_no_trap("RDTSC in ring 0 with CR4.TSD");
    write_cr4(read_cr4() & ~CR4_TSD);
}

/* SDM 3A 2.5 and 2B "MOV - Move to/from Control Registers". */
static void reserved_control_bits(void) {
    u32 cr0 = read_cr0();
    /* With page tables that would keep the machine alive if the value were accepted after all. */
    paging_on();
    paging_off();
    probe("movl %0, %%cr0; movl %1, %%cr0", : "r"((cr0 | CR0_PG) & ~CR0_PE), "r"(cr0));
    check_fault("#GP setting CR0.PG with PE clear", GP, 0);
    probe("movl %0, %%cr0", : "r"((cr0 | 0x20000000) & ~0x40000000));
    check_fault("#GP setting CR0.NW with CD clear", GP, 0);
    check("a refused CR0 is not loaded", read_cr0(), cr0);
    write_cr0(cr0);
    if (!cpu_has(CPU_MSR)) return skip("RDMSR of a missing MSR", "MSR");
    probe("rdmsr", : "c"(0x7FFFFFF0) : "eax", "edx");
    check_fault("#GP RDMSR of a missing MSR", GP, 0);
    probe("wrmsr", : "c"(0x7FFFFFF0), "a"(0), "d"(0));
    check_fault("#GP WRMSR of a missing MSR", GP, 0);
}

void privileged(void) {
    in_ring_3();
    time_stamp();
    reserved_control_bits();
}
