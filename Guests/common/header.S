// The Multiboot 1 header (Multiboot 0.6.96, 3.1). A guest with a header.S of its own gets that instead.
#define MAGIC 0x1BADB002
#define FLAGS 0x00000002            // give us a memory map

    .section .multiboot, "a"
    .p2align 2
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)
