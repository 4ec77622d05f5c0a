/* Page tables that change: an entry's bit, an entry's frame, and the whole address space. */
#include "nano.h"
#include "paging.h"

enum { PRIVATE = MAPPED, AVAILABLE = 0x200, THREADS = 2 };

static u32 window[PAGE / 4] __attribute__((aligned(PAGE)));
static u32 frames[2][PAGE / 4] __attribute__((aligned(PAGE)));

/* A bit that the processor ignores, in an entry that it has used; an even number of times. */
static u32 run_pte_write(u32 operations) {
    u32 *entry = pte((u32)window), value;
    *(volatile u32 *)window;
    value = *(volatile u32 *)entry;
    for (u32 left = operations; left; left -= UNROLLED)
        asm volatile(TEN("xorl %1, %0") : "+m"(*entry) : "i"(AVAILABLE) : "cc");
    return *(volatile u32 *)entry == value ? operations : 0;
}

static void prepare_pte_remap(void) {
    paging_on();
    frames[0][0] = 1, frames[1][0] = 3;
}

/* Another frame, INVLPG, and a load that has to see it. */
static u32 run_pte_remap(u32 operations) {
    u32 sum = 0;
    for (u32 i = 0; i < operations; i++) {
        set_pte((u32)window, (u32)frames[i % 2] | PTE_P | PTE_W);
        sum += *(volatile u32 *)window;
    }
    return sum / 2;
}

static void restore_paging(void) {
    reset_pte((u32)window);
    paging_off();
}

/* Two threads, each with its own stack and address space: all is the same in both but one page. */
static struct thread { u32 esp, cr3; } threads[THREADS];
static u32 directory[1024] __attribute__((aligned(PAGE)));
static u32 tables[THREADS][1024] __attribute__((aligned(PAGE)));
static u32 stack[1024];

void switch_thread(struct thread *from, const struct thread *to);
asm(".pushsection .text\n"
    "switch_thread: movl 4(%esp), %eax; movl 8(%esp), %edx\n\t"
    "pushl %ebx; pushl %esi; pushl %edi; pushl %ebp\n\t"
    "movl %esp, (%eax); movl 4(%edx), %ecx; movl (%edx), %esp; movl %ecx, %cr3\n\t"
    "popl %ebp; popl %edi; popl %esi; popl %ebx; ret\n"
    ".popsection");

static void visit(u32 thread) {
    if (*(volatile u32 *)PRIVATE == thread + 1) nano_events++;
}

static void second_thread(void) {
    for (;;) {
        visit(1);
        switch_thread(&threads[1], &threads[0]);
    }
}

static void prepare_context(void) {
    paging_on();
    memcpy(directory, page_directory, sizeof directory);
    threads[0].cr3 = (u32)page_directory, threads[1].cr3 = (u32)directory;
    for (u32 thread = 0; thread < THREADS; thread++) {
        frames[thread][0] = thread + 1;
        tables[thread][0] = (u32)frames[thread] | PTE_P | PTE_W;
        (thread ? directory : page_directory)[PRIVATE >> 22] = (u32)tables[thread] | PTE_P | PTE_W;
    }
    write_cr3(threads[0].cr3);
    u32 *top = stack + length_of(stack) - 5; /* four registers, and where to begin */
    top[4] = (u32)second_thread;
    threads[1].esp = (u32)top;
}

static u32 run_context(u32 operations) {
    u32 before = nano_events;
    for (u32 left = operations; left; left -= 2) {
        switch_thread(&threads[0], &threads[1]);
        visit(0);
    }
    return events_of(before);
}

const struct nano pte_write_nano = {"pte-write", 1000, paging_on, run_pte_write, restore_paging, 0, 0};
const struct nano pte_remap_nano = {"pte-remap", 1000, prepare_pte_remap, run_pte_remap, restore_paging, 0, 0};
const struct nano context_nano = {"context-switch", 1000, prepare_context, run_context, paging_off, 0, 0};
