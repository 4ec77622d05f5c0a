// The way from the loader to guest_main (Multiboot 0.6.96, 3.2; Multiboot2 2.0, 3.3).
#include "layout.h"

    .text
    .globl start
    .weak _start                    // a guest may look at the machine before going to `start`
_start:
start:
    cli
    cld
    movl $boot_stack_top, %esp
    movl %eax, multiboot_magic
    movl %ebx, multiboot_info
    pushl $2                        // known EFLAGS: only the always-one bit
    popfl
    call descriptors_init           // still on the loader's GDT, whose contents are unknown
    lgdt gdt_descriptor
    ljmpl $KERNEL_CS, $1f
1:  movl $KERNEL_DS, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    lidt idt_descriptor
    xorl %eax, %eax
    lldt %ax                        // at reset the LDT is 64 KiB at 0 (SDM 3A table 9-1), not null
    movl $TSS_SELECTOR, %eax
    ltr %ax
    movb $0xFF, %al                 // no interrupt until a guest asks for it: IF may be set for other reasons
    outb %al, $0x21
    outb %al, $0xA1
    call console_init
    call guest_main
    call finish                     // does not return

    .bss
    .globl multiboot_magic, multiboot_info, boot_stack_top, trap_stack_top, user_stack_top
multiboot_magic: .long 0
multiboot_info: .long 0
    .p2align 4
    .skip STACK_BYTES
boot_stack_top:
    .skip STACK_BYTES
trap_stack_top:                     // SS0:ESP0
    .skip STACK_BYTES
user_stack_top:
