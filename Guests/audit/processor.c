/* Control and debug registers, MSRs, caches and identification. */
#include "audit.h"
#include "paging.h"

enum { PAGE_A = DATA_ADDRESS, PAGE_B = DATA_ADDRESS + PAGE };

static void set_cr2(void) { write_cr2(0x00C0FFEE); }
static void set_dr0(void) { write_dr0(0x00C0FFEE); }
static void set_ts(void) { write_cr0(read_cr0() | CR0_TS); }
static void set_msr(void) { wrmsr(SYSENTER_CS, KERNEL_CS); }

/* The TLB knows one page; the page tables say another by now. */
static void stale_page(void) {
    *(u32 *)PAGE_A = 0xAAAAAAAA;
    *(u32 *)PAGE_B = 0xBBBBBBBB;
    paging_on();
    *(volatile u32 *)PAGE_A;
    *(volatile u32 *)pte(PAGE_A) = PAGE_B | PTE_P | PTE_W | PTE_U;
}

void processor(void) {
    u32 low_cr0 = read_cr0() & 0xFFFF;
    ROW("SMSW", 0, "smsw %%ax", ANSWER(low_cr0));
    ROW("LMSW", 0, "movb $9, %%al; lmsw %%ax; smsw %%ax; andl $15, %%eax", ANSWER(CR0_PE | CR0_TS));
    ROW("CLTS", set_ts, "clts; smsw %%ax; andl $8, %%eax", ANSWER(0));
    ROW("MOV r, CRn", set_cr2, "movl %%cr2, %%eax", ANSWER(0x00C0FFEE));
    ROW("MOV CRn, r", 0, "movl $0x00345000, %%eax; movl %%eax, %%cr3; xorl %%eax, %%eax; movl %%cr3, %%eax",
        ANSWER(0x00345000));
    ROW("MOV r, DRn", set_dr0, "movl %%dr0, %%eax", ANSWER(0x00C0FFEE));
    ROW("MOV DRn, r", 0, "movl $0x00345678, %%eax; movl %%eax, %%dr0; xorl %%eax, %%eax; movl %%dr0, %%eax",
        ANSWER(0x00345678));
    ROW("INVLPG", stale_page, "invlpg (%%esi); movl (%%esi), %%eax", ANSWER(0xBBBBBBBB));
    ROW("INVD", 0, "invd; incl %%eax", ANSWER(1));
    ROW("WBINVD", 0, "wbinvd; incl %%eax", ANSWER(1));
    ROW("RDMSR", set_msr, "movl $0x174, %%ecx; rdmsr", ANSWERS(KERNEL_CS, 0));
    ROW("WRMSR", 0, "movl $0x174, %%ecx; movb $0x18, %%al; wrmsr; xorl %%eax, %%eax; rdmsr", ANSWERS(0x18, 0));
    ROW("CPUID", 0, "movl $1, %%eax; pushl %%ebx; cpuid; popl %%ebx", OPEN);
    /* How long a thousand instructions take. */
    ROW("RDTSC", 0, "rdtsc; pushl %%eax; movl $998, %%ecx; 1: loop 1b; rdtsc; popl %%ecx; subl %%ecx, %%eax", OPEN);
    ROW("RDPMC", 0, "xorl %%ecx, %%ecx; rdpmc", OPEN);
}
