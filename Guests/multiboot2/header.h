// The Multiboot 2 header, included by header.S (the image is ELF) and header-flat.S (the header says where everything is).
// Multiboot2 Specification 2.0, 3.1. Each tag: 16-bit type, 16-bit flags (1: may be ignored), 32-bit size; 8-byte aligned.
#define MAGIC 0xE85250D6
#define I386 0
#define LENGTH (header_end - header)
#define OPTIONAL 1

    .section .multiboot, "a"
    .p2align 3
header:
    .long MAGIC, I386, LENGTH, -(MAGIC + I386 + LENGTH)

    .short 1, 0                     // information request, 3.1.4: what loaders must know about, if not have
    .long 8 + 4 * 5, 1, 2, 3, 4, 6  // command line, loader's name, modules, basic memory information, memory map
    .p2align 3
    .short 1, OPTIONAL
    .long 8 + 4 * 1, 0x7FFF         // information that no loader knows
    .p2align 3
#ifdef FLAT
    .short 2, 0                     // address, 3.1.5: header, start, end of what is in the file (0: all), end of zeros
    .long 8 + 4 * 4, header, image_start, 0, image_end
    .p2align 3
    .short 3, 0                     // entry address, 3.1.6
    .long 8 + 4 * 1, _start
    .p2align 3
#endif
    .short 4, 0                     // console flags, 3.1.7: there must be a console, and it may be EGA text
    .long 8 + 4 * 1, 0b11
    .p2align 3
    .short 6, 0                     // modules on page boundaries, 3.1.9
    .long 8
    .p2align 3
    .short 0x7FFF, OPTIONAL         // a tag that no loader knows
    .long 8
    .short 0, 0                     // end
    .long 8
header_end:
