// Entry stubs of all 256 vectors, the common trap path, and the two ways out of a trap.
#include "layout.h"

// Vectors whose exceptions push an error code (SDM 3A 6.13, table 6-1): 8, 10-14, 17.
#define ERROR_CODE_VECTORS 0x00027D00

    .text
    .p2align 4
    .globl vector_stubs
vector_stubs:                       // 16 bytes each; descriptors.c computes the addresses
    .set vector, 0
    .rept 256
    .p2align 4
    .if vector < 32
        .if !((ERROR_CODE_VECTORS >> vector) & 1)
        pushl $0
        .endif
    .else
    pushl $0
    .endif
    pushl $vector
    jmp trap_entry
    .set vector, vector + 1
    .endr

// The frame built here is struct trap_frame in trap.h.
trap_entry:
    cld
    pushal
    pushl %ds
    pushl %es
    pushl %fs
    pushl %gs
    movl $KERNEL_DS, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %ss, %eax
    cmpw $KERNEL_DS, %ax
    jne foreign_stack
    pushl %esp
    call trap_dispatch
    addl $4, %esp
    popl %gs
    popl %fs
    popl %es
    popl %ds
    popal
    addl $8, %esp                   // vector and error code
    iretl

// The trap came from ring 0 on a stack of the guest's own making: based, 16-bit or expand-down. Compiled code needs
// SS = DS, so the frame is copied out. A trap of this kind always ends a probe and never returns here.
foreign_stack:
    movl %esp, %esi
    movl %esp, %ebp
    larl %eax, %edx
    testl $0x00400000, %edx         // B: does the stack use ESP or SP?
    jnz 1f
    movzwl %si, %esi
1:  movl $foreign_frame, %edi
    movl $(FOREIGN_FRAME_BYTES / 4), %ecx
2:  movl %ss:(%esi), %eax
    stosl
    addl $4, %esi
    loop 2b
    movl %ss, %ebx
    movl $KERNEL_DS, %eax
    movl %eax, %ss
    movl $trap_stack_top, %esp
    xorl %eax, %eax                 // ESP at the trap: as the frame was walked, with the upper half SP leaves alone
    testl $0x00400000, %edx
    jnz 3f
    movl %ebp, %eax
    xorw %ax, %ax
3:  orl %esi, %eax
    movl %eax, foreign_esp
    movl %ebx, foreign_ss
    pushl $foreign_frame
    call trap_dispatch

// void probe_leave(struct trap_frame *): continue after the probe with the registers of the trapped code, flat segments,
// the stack of the probe's beginning and clean flags.
    .globl probe_leave
probe_leave:
    movl 4(%esp), %ebp
    movl $KERNEL_DS, %eax
    movl %eax, %fs
    movl %eax, %gs
    leal 16(%ebp), %esp             // the PUSHA image
    popal
    movl probe_esp, %esp
    pushl $2
    popfl
    jmpl *probe_resume

// Called by a probe: the code after the call runs in the ring of outer_cs, on the stack outer_ss:outer_esp, with every
// general register preserved. It ends with a trap.
    .globl enter_ring
enter_ring:
    popl probe_start                // the trap offset counts from here
    pushl outer_ss
    pushl outer_esp
    pushl outer_eflags
    pushl outer_cs
    pushl probe_start
    pushl %eax
    movl outer_ds, %eax
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ds
    popl %eax
    iretl

    .bss
    .globl probe_esp, probe_resume, probe_start, foreign_frame, foreign_esp, foreign_ss
probe_esp: .long 0
probe_resume: .long 0
probe_start: .long 0
foreign_esp: .long 0
foreign_ss: .long 0
    .equ FOREIGN_FRAME_BYTES, 4 * 17    // struct trap_frame up to EFLAGS: nothing follows without a ring change
foreign_frame: .skip FOREIGN_FRAME_BYTES
