// Real mode: from protected mode down and back. Copied to LOW, where real mode can run it.
#include "layout.h"

#define LOW 0x8000
#define AT(label) ((label) - real_begin + LOW)
#define CODE16 SPARE(0)             // base 0, limit 64 KiB
#define DATA16 SPARE(1)             // base 0, limit 64 KiB: real mode keeps limits, so they must be right before
#define REAL_SEGMENT 0x1234

    .text
    .globl real_begin, real_end, real_enter
// void real_enter(void): runs all of it and returns; results are in real_results at its place in low memory.
real_enter:
    pushal
    movl %esp, saved_esp
    ljmpl $CODE16, $AT(down)

    .globl real_results
real_begin:
    .code16
down:
    movw $DATA16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %gs                   // FS stays flat: "unreal mode" (below)
    movl %cr0, %eax
    andb $0xFE, %al
    movl %eax, %cr0
    ljmpw $0, $AT(real)
real:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7000, %sp
    lidtl AT(real_idt)

    // A segment is its selector times 16.
    movw $REAL_SEGMENT, %ax
    movw %ax, %es
    movw $0x5678, %es:0x10
    movw %es:0x10, %bx
    movw %bx, AT(result_store)
    movw %es, AT(result_selector)

    // INT n through the interrupt vector table: FLAGS, CS, IP are pushed as words.
    movw $AT(handler), 0x60 * 4
    movw $0, 0x60 * 4 + 2
    movw %sp, AT(result_sp)
    sti
    int $0x60
    cli
    movw %sp, AT(result_sp_after)

    // A fault: #DE, vector 0, whose saved IP is that of the instruction.
    movw $AT(divide_handler), 0
    movw $0, 2
    xorw %cx, %cx
divide:
    divw %cx

    // Far call and return within real mode.
    lcallw $(LOW >> 4), $(far_target - real_begin)

    // Unreal mode: FS keeps the 4 GiB limit it had in protected mode.
    movl $0x100000, %ebx
    movl %fs:(%ebx), %eax
    movl %eax, AT(result_unreal)
    movw $REAL_SEGMENT, %ax         // loading it in real mode changes the base, not the limit
    movw %ax, %fs
    movl %fs:-REAL_SEGMENT * 16(%ebx), %eax
    movl %eax, AT(result_unreal_reloaded)

    // Privilege does not exist: CPL is 0, so that reading CR0 and SMSW work.
    smsww %ax
    movw %ax, AT(result_msw)

    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $KERNEL_CS, $up

handler:
    movw %sp, %bp
    movw (%bp), %ax
    movw %ax, AT(result_ip)
    movw 2(%bp), %ax
    movw %ax, AT(result_cs)
    movw 4(%bp), %ax
    movw %ax, AT(result_flags)
    pushfw
    popw AT(result_flags_inside)
    iretw
divide_handler:
    movw %sp, %bp
    movw (%bp), %ax
    subw $AT(divide), %ax
    movw %ax, AT(result_divide_offset)
    addw $2, (%bp)                  // past DIV CX
    iretw
far_target:
    movw %cs, AT(result_far_cs)
    lretw

    .p2align 2
real_idt:
    .word 0x3FF
    .long 0
    .p2align 2
real_results:
result_store: .word 0
result_selector: .word 0
result_sp: .word 0
result_sp_after: .word 0
result_ip: .word 0
result_cs: .word 0
result_flags: .word 0
result_flags_inside: .word 0
result_divide_offset: .word 0xFFFF
result_far_cs: .word 0
result_msw: .word 0xFFFF
    .word 0
result_unreal: .long 0
result_unreal_reloaded: .long 0
real_end:

    .code32
up:
    movl $KERNEL_DS, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movl saved_esp, %esp
    lidt idt_descriptor
    popal
    ret

    .bss
saved_esp: .long 0
