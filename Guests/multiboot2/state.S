// Records the state in which the loader starts the image (Multiboot2 3.3), while it still stands.
// Only EAX and EBX have to survive; the IDT is the loader's, so a segment that is too short ends the machine here.
#include "layout.h"

#define TOP 0xFFFFFFFF

    .text
    .globl _start
_start:
    movl $boot_stack_top, %esp
    movl %cr0, %ecx
    movl %ecx, entry_cr0
    pushfl
    popl entry_eflags

    // With a 16-bit stack segment, PUSH would use SP alone.
    pushl $0x57AC
    movl boot_stack_top - 4, %ecx
    movl %ecx, entry_pushed
    popl %ecx

    // Where the code runs, by its own account.
    call here
here:
    popl entry_eip

    // Bases by what lies at a known address, limits by the last byte of the address space.
    movl %cs:marker, %ecx
    movl %ecx, entry_seen
    movl %ds:marker, %ecx
    movl %ecx, entry_seen + 4
    movl %es:marker, %ecx
    movl %ecx, entry_seen + 8
    movl %fs:marker, %ecx
    movl %ecx, entry_seen + 12
    movl %gs:marker, %ecx
    movl %ecx, entry_seen + 16
    movl %ss:marker, %ecx
    movl %ecx, entry_seen + 20
    movb %cs:TOP, %cl
    movb %ds:TOP, %cl
    movb %es:TOP, %cl
    movb %fs:TOP, %cl
    movb %gs:TOP, %cl
    movb %ss:TOP, %cl

    // CS readable is seen; the others must be writable too.
    movl $0x57A7, %ecx
    movl %ecx, %ds:entry_written
    movl %ecx, %es:entry_written + 4
    movl %ecx, %fs:entry_written + 8
    movl %ecx, %gs:entry_written + 12
    movl %ecx, %ss:entry_written + 16
    jmp start

    .data
    .globl entry_here
marker: .long 0xF1A7
entry_here: .long here

    .bss
    .globl entry_cr0, entry_eflags, entry_pushed, entry_eip, entry_seen, entry_written
    .p2align 2
entry_cr0: .skip 4
entry_eflags: .skip 4
entry_pushed: .skip 4
entry_eip: .skip 4
entry_seen: .skip 4 * 6
entry_written: .skip 4 * 5
