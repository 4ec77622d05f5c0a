// Boot sector that starts a guest from a disk, for machines that have a BIOS but no Multiboot loader (Bochs).
// The flat image follows in the next SECTORS sectors; it goes to 1 MiB and is entered at ENTRY, as Multiboot would enter it
// but without a memory map (Multiboot 0.6.96, 3.2). What there is to know about the image stands in the sector's last
// words, so that a finished sector can be used for any image.
#define CHUNK 64                    // sectors a read
#define BUFFER 0x10000
#define LOAD_ADDRESS 0x100000

#ifndef SECTORS
#define SECTORS 0
#define ENTRY 0
#endif

    .code16
    .text
    .globl _start
_start:
    ljmpw $0, $1f
1:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7C00, %sp
    cld
    movb %dl, drive
next:
    movb $0x42, %ah                 // INT 13h extensions: read by block address
    movb drive, %dl
    movw $packet, %si
    int $0x13
    jc failed
    movb $0x87, %ah                 // INT 15h: copy to extended memory
    movw $(CHUNK * 256), %cx        // words
    movw $move_table, %si
    int $0x15
    jc failed
    addl $CHUNK, packet_block
    addl $(CHUNK * 512), move_target
    subl $CHUNK, remaining
    ja next

    cli
    inb $0x92, %al                  // fast A20 gate
    orb $2, %al
    outb %al, $0x92
    lgdt gdt_pointer
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $protected
failed:
    hlt
    jmp failed

    .code32
protected:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movl $0x2BADB002, %eax
    movl information, %ebx
    jmpl *entry

drive: .byte 0
    .p2align 2
packet:
    .byte 16, 0
    .word CHUNK, 0, BUFFER >> 4
packet_block:
    .long 1, 0
// INT 15h/87h wants six descriptors: two for itself, source, target, two for itself.
move_table:
    .quad 0, 0
    .word 0xFFFF
    .long 0x93000000 | BUFFER
    .word 0
    .word 0xFFFF
move_target:
    .long 0x93000000 | LOAD_ADDRESS // base and access byte; below 16 MiB
    .word 0
    .quad 0, 0
gdt:
    .quad 0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
gdt_pointer:
    .word 23
    .long gdt
    .fill 498 - (. - _start), 1, 0
remaining: .long SECTORS
entry: .long ENTRY
information: .long 0                // address of a Multiboot information structure, or 0
    .word 0xAA55
