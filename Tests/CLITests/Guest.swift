/// Tiny Multiboot guests, assembled by hand. They start in flat 32-bit protected mode with interrupts off.
enum Guest {
    private static let loadAddress: UInt32 = 0x10_0000

    /// A Multiboot 1 image: header with load addresses (0.6.96 3.1.3), then `code`, entered at its start.
    static func image(_ code: [UInt8]) -> [UInt8] {
        let flags: UInt32 = 0x1_0000
        let end = loadAddress + 32 + UInt32(code.count)
        let addresses = longs(loadAddress, loadAddress, end, end, loadAddress + 32)
        return longs(0x1BAD_B002, flags, 0 &- (0x1BAD_B002 &+ flags)) + addresses + code
    }

    static func longs(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    }

    /// Writes `value` to the debug-exit port, and then another, which must not happen.
    static func debugExit(_ value: UInt8) -> [UInt8] {
        image([
            0xB0, value, 0xE6, 0xF4,  // mov al, value; out 0xF4, al
            0xB0, 0x55, 0xE6, 0xF4,  // mov al, 0x55; out 0xF4, al
        ])
    }

    static let halt = image([0xF4])
    static let endlessLoop = image([0xEB, 0xFE])
    /// UD2 without an interrupt descriptor table.
    static let tripleFault = image([0x0F, 0x0B])
    /// mov dx, 0xCF9; mov al, 6; out dx, al
    static let reset = image([0x66, 0xBA, 0xF9, 0x0C, 0xB0, 0x06, 0xEE, 0xEB, 0xFE])

    /// Sends "hello" to the debug console, port 0xE9, and ends with 1.
    static let debugConsole = image(
        "hello".utf8.flatMap { [0xB0, $0, 0xE6, 0xE9] } + [0x31, 0xC0, 0xE6, 0xF4])

    /// Sends its command line, its first module's string and the module itself to the debug console, and ends with 1.
    static let givenFiles = image(
        [0xBC] + longs(0x9_0000)  // mov esp, 0x90000
            + [0x8B, 0x73, 0x10, 0xE8] + longs(25)  // mov esi, [ebx + 16]; call puts
            + [0x8B, 0x4B, 0x18]  // mov ecx, [ebx + 24]: the module list
            + [0x8B, 0x71, 0x08, 0xE8] + longs(14)  // mov esi, [ecx + 8]; call puts
            + [0x8B, 0x31]  // mov esi, [ecx]
            + [0xAC, 0xE6, 0xE9, 0x3B, 0x71, 0x04, 0x75, 0xF8]  // lodsb; out 0xE9, al; cmp esi, [ecx + 4]; jne back
            + [0x31, 0xC0, 0xE6, 0xF4]  // xor eax, eax; out 0xF4, al
            + [0xAC, 0xE6, 0xE9, 0x84, 0xC0]  // puts: lodsb; out 0xE9, al; test al, al
            + [0x75, 0xF9, 0xC3])  // jne puts; ret

    /// Sends lines of "y" to COM1 for ever.
    static let flood = image([
        0x66, 0xBA, 0xF8, 0x03,  // mov dx, 0x3F8
        0xB0, 0x79, 0xEE,  // mov al, 'y'; out dx, al
        0xB0, 0x0A, 0xEE,  // mov al, '\n'; out dx, al
        0xEB, 0xF8,  // jmp to "mov al, 'y'"
    ])

    /// Sends "> ", then echoes COM1 by polling until "q", which ends it with 1.
    static let echo = image([
        0x66, 0xBA, 0xF8, 0x03,  // mov dx, 0x3F8
        0xB0, 0x3E, 0xEE, 0xB0, 0x20, 0xEE,  // mov al, '>'; out dx, al; mov al, ' '; out dx, al
        0x66, 0xBA, 0xFD, 0x03,  // wait: mov dx, 0x3FD
        0xEC, 0xA8, 0x01, 0x74, 0xFB,  // in al, dx; test al, 1; jz back to in
        0x66, 0xBA, 0xF8, 0x03,  // mov dx, 0x3F8
        0xEC, 0xEE,  // in al, dx; out dx, al
        0x3C, 0x71, 0x75, 0xED,  // cmp al, 'q'; jne wait
        0x31, 0xC0, 0xE6, 0xF4,  // xor eax, eax; out 0xF4, al
    ])

    /// Writes "!" and jumps to itself for ever.
    static let spinning = image([0x66, 0xBA, 0xF8, 0x03, 0xB0, 0x21, 0xEE, 0xEB, 0xFE])

    /// Writes "VGA" in white on blue at the top left, waits for a key and ends with its scan code.
    static let keyOnScreen = image(
        "VGA".utf8.enumerated().flatMap { index, character in
            // mov word [0xB8000 + 2 * index], 0x1F00 | character
            [0x66, 0xC7, 0x05] + longs(0xB_8000 + UInt32(2 * index)) + [character, 0x1F]
        } + [
            0xE4, 0x64, 0xA8, 0x01, 0x74, 0xFA,  // in al, 0x64; test al, 1; jz back to in
            0xE4, 0x60, 0xE6, 0xF4,  // in al, 0x60; out 0xF4, al
        ])

    /// Takes `ticks` interrupts of the timer at 1.2 kHz, some while it computes and some while it is halted. At each it
    /// sends a printable piece of the timestamp counter and of what was computed. Then it faults thrice.
    static func timer(ticks: UInt8) -> [UInt8] {
        let code = loadAddress + 32
        let (handler, idtr) = (code + 56, code + 89)
        return image(
            [0xB0, 0x34, 0xE6, 0x43, 0x31, 0xC0, 0xE6, 0x40, 0xB0, 0x04, 0xE6, 0x40]  // 0: counter 0, mode 2, 0x400
                + [0xBC] + longs(0x9_0000)  // 12: mov esp, 0x90000
                + [0x8C, 0xC8, 0xC1, 0xE0, 0x10, 0x0D] + longs(handler & 0xFFFF)  // 17: eax = cs << 16 | handler
                + [0xA3] + longs(0x2040)  // 27: gate 8 of the IDT at 0x2000: where firmware has left the timer
                + [0xC7, 0x05] + longs(0x2044, handler & 0xFFFF_0000 | 0x8E00)  // 32: its high half
                + [0x0F, 0x01, 0x1D] + longs(idtr)  // 42: lidt [idtr]
                + [0xB3, ticks, 0xFB]  // 49: mov bl, ticks; sti
                + [0xEB, 0x29, 0x90, 0x90]  // 52: jmp compute
                + [0x0F, 0x31, 0x01, 0xF0, 0x24, 0x3F, 0x04, 0x20]  // 56: rdtsc; add eax, esi; and al, 63; add al, 32
                + [0x66, 0xBA, 0xF8, 0x03, 0xEE]  // 64: mov dx, 0x3F8; out dx, al
                + [0xB0, 0x20, 0xE6, 0x20]  // 69: end of interrupt
                + [0xFE, 0xCB, 0x74, 0x01, 0xCF]  // 73: dec bl; jz 78; iret
                + [0x90, 0x0F, 0x01, 0x1D] + longs(0x3000) + [0x0F, 0x0B]  // 78: lidt of zeros; ud2
                + [0x90, 0xFF, 0x07] + longs(0x2000)  // 88: idtr: limit 0x7FF, base 0x2000
                + [0x6B, 0xF6, 0x09, 0x46]  // 95: compute: imul esi, esi, 9; inc esi
                + [0xF7, 0xC6] + longs(0xFFFF)  // 99: test esi, 0xFFFF
                + [0x75, 0xF4, 0xF4, 0xEB, 0xF1])  // 105: jnz compute; hlt; jmp compute
    }
}
