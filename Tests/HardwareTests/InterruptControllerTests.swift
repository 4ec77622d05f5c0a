import Testing

@testable import Hardware

/// A pair programmed as Linux and BIOSes do: vectors 0x20 and 0x28, cascade on 2, 8086 mode, nothing masked.
private final class Board {
    let probe = LineProbe()
    let pair: InterruptControllerPair
    var isRequested: Bool { probe.isAsserted }

    init(icw1: UInt32 = 0x11, masterICW4: UInt32 = 0x01, slaveICW4: UInt32 = 0x01) {
        pair = InterruptControllerPair(output: probe.line)
        initialize(pair.master, [icw1, 0x20, 0x04, masterICW4])
        initialize(pair.slave, [icw1, 0x28, 0x02, slaveICW4])
    }

    private func initialize(_ chip: InterruptController8259, _ words: [UInt32]) {
        chip.out(0, words[0])
        for word in words[1...] { chip.out(1, word) }
    }

    func raise(_ irq: Int) { pair.line(irq: irq).set(true) }
    func lower(_ irq: Int) { pair.line(irq: irq).set(false) }
    func requests(_ chip: InterruptController8259) -> UInt8 {
        chip.out(0, 0x0A)
        return chip.inb(0)
    }
    func inService(_ chip: InterruptController8259) -> UInt8 {
        chip.out(0, 0x0B)
        return chip.inb(0)
    }
}

@Suite struct InterruptControllerTests {
    @Test func requestsNothingBeforeInitialization() {
        let probe = LineProbe()
        let pair = InterruptControllerPair(output: probe.line)
        pair.line(irq: 0).set(true)
        #expect(!probe.isAsserted)
    }

    @Test func maskReadsBackEvenBeforeInitialization() {
        // Linux probes for the chip this way before it sends ICW1.
        let pair = InterruptControllerPair(output: InterruptLine())
        pair.slave.out(1, 0xFF)
        pair.master.out(1, 0xFB)
        #expect(pair.master.inb(1) == 0xFB)
        #expect(pair.slave.inb(1) == 0xFF)
    }

    @Test func acknowledgeMovesRequestToInService() {
        let board = Board()
        board.raise(4)
        #expect(board.isRequested)
        #expect(board.requests(board.pair.master) == 0x10)
        #expect(board.pair.acknowledge() == 0x24)
        #expect(!board.isRequested)
        #expect(board.requests(board.pair.master) == 0)
        #expect(board.inService(board.pair.master) == 0x10)
        board.pair.master.out(0, 0x20)
        #expect(board.inService(board.pair.master) == 0)
        #expect(!board.isRequested, "an edge counts once, though the input is still high")
    }

    @Test func moreUrgentInterruptsLessUrgentWaits() {
        let board = Board()
        board.raise(4)
        _ = board.pair.acknowledge()
        board.raise(5)
        #expect(!board.isRequested)
        board.raise(1)
        #expect(board.isRequested)
        #expect(board.pair.acknowledge() == 0x21)
        board.pair.master.out(0, 0x20)
        #expect(board.inService(board.pair.master) == 0x10, "non-specific EOI ends the most urgent")
        #expect(!board.isRequested)
        board.pair.master.out(0, 0x64)
        #expect(board.pair.acknowledge() == 0x25)
    }

    @Test func maskedInputIsRememberedNotRequested() {
        let board = Board()
        board.pair.master.out(1, 0x08)
        board.raise(3)
        #expect(!board.isRequested)
        #expect(board.requests(board.pair.master) == 0x08)
        board.pair.master.out(1, 0)
        #expect(board.isRequested)
    }

    @Test func slaveAnswersThroughTheCascade() {
        let board = Board()
        board.raise(12)
        #expect(board.requests(board.pair.master) == 0x04)
        #expect(board.pair.acknowledge() == 0x2C)
        #expect(board.inService(board.pair.master) == 0x04)
        #expect(board.inService(board.pair.slave) == 0x10)
        board.raise(14)
        #expect(!board.isRequested)
        board.pair.slave.out(0, 0x20)
        board.pair.master.out(0, 0x20)
        #expect(board.pair.acknowledge() == 0x2E)
    }

    @Test func specialFullyNestedModeLetsTheSlaveNest() {
        let plain = Board()
        plain.raise(12)
        _ = plain.pair.acknowledge()
        plain.raise(8)
        #expect(!plain.isRequested)

        let nested = Board(masterICW4: 0x11)
        nested.raise(12)
        _ = nested.pair.acknowledge()
        nested.raise(3)
        #expect(!nested.isRequested, "less urgent than the slave")
        nested.raise(8)
        #expect(nested.pair.acknowledge() == 0x28)
        #expect(nested.inService(nested.pair.slave) == 0x11)
    }

    @Test func vanishedRequestIsSpurious() {
        let board = Board()
        board.raise(4)
        board.lower(4)
        #expect(!board.isRequested)
        #expect(board.pair.acknowledge() == 0x27)
        #expect(board.inService(board.pair.master) == 0)
    }

    @Test func vanishedSlaveRequestIsSpuriousOnTheSlaveOnly() {
        let board = Board()
        board.raise(9)
        // The master accepts its input 2 in a poll; by then the slave has nothing left to say.
        board.pair.master.out(0, 0x0C)
        #expect(board.pair.master.inb(0) == 0x82)
        board.lower(9)
        #expect(board.pair.slave.acknowledge() == (7, 0x2F))
        #expect(board.inService(board.pair.slave) == 0)
        #expect(board.inService(board.pair.master) == 0x04)
    }

    @Test func levelTriggeredInputAsksUntilItFalls() {
        let board = Board()
        board.pair.edgeLevelControl.out(1, 0xFF)
        #expect(board.pair.edgeLevelControl.inb(1) == 0xDE)
        board.raise(9)
        #expect(board.pair.acknowledge() == 0x29)
        board.pair.slave.out(0, 0x20)
        board.pair.master.out(0, 0x20)
        #expect(board.isRequested)
        board.lower(9)
        #expect(!board.isRequested)
    }

    @Test func systemInputsStayEdgeTriggered() {
        let board = Board()
        board.pair.edgeLevelControl.out(0, 0xFF)
        #expect(board.pair.edgeLevelControl.inb(0) == 0xF8)
    }

    @Test func icw1CanMakeAllInputsLevelTriggered() {
        let board = Board(icw1: 0x19)
        board.raise(0)
        _ = board.pair.acknowledge()
        board.pair.master.out(0, 0x20)
        #expect(board.isRequested)
    }

    @Test func initializationForgetsEdgesAndMask() {
        let board = Board()
        board.pair.master.out(1, 0xFF)
        board.raise(3)
        for word: (UInt32, UInt32) in [(0, 0x11), (1, 0x40), (1, 0x04), (1, 0x01)] {
            #expect(!board.isRequested)
            board.pair.master.out(word.0, word.1)
        }
        #expect(board.pair.master.inb(1) == 0)
        #expect(!board.isRequested, "a high input must fall and rise again")
        board.lower(3)
        board.raise(3)
        #expect(board.pair.acknowledge() == 0x43)
    }

    @Test func automaticEOILeavesNothingInService() {
        let board = Board(masterICW4: 0x03)
        board.raise(4)
        #expect(board.pair.acknowledge() == 0x24)
        #expect(board.inService(board.pair.master) == 0)
    }

    @Test func automaticRotationPutsTheServedLast() {
        let board = Board(masterICW4: 0x03)
        board.pair.master.out(0, 0x80)
        board.raise(0)
        board.raise(1)
        #expect(board.pair.acknowledge() == 0x20)
        board.lower(0)
        board.raise(0)
        #expect(board.pair.acknowledge() == 0x21)
        #expect(board.pair.acknowledge() == 0x20)
        board.pair.master.out(0, 0x00)
        board.lower(0)
        board.raise(0)
        board.lower(1)
        board.raise(1)
        #expect(board.pair.acknowledge() == 0x21, "rotated once more before it was switched off: 0 is last")
    }

    @Test(arguments: [UInt32(0xA0), 0xE3]) func rotateOnEOI(command: UInt32) {
        let board = Board()
        board.raise(3)
        _ = board.pair.acknowledge()
        board.pair.master.out(0, command)
        #expect(board.inService(board.pair.master) == 0)
        board.lower(3)
        board.raise(3)
        board.raise(6)
        #expect(board.pair.acknowledge() == 0x26)
    }

    @Test func setPriorityCommand() {
        let board = Board()
        board.pair.master.out(0, 0xC4)
        board.raise(4)
        board.raise(0)
        board.raise(5)
        #expect(board.pair.acknowledge() == 0x25)
    }

    @Test func specialMaskModeUnblocksTheRest() {
        let board = Board()
        board.raise(3)
        _ = board.pair.acknowledge()
        board.raise(6)
        board.pair.master.out(1, 0x08)
        #expect(!board.isRequested)
        board.pair.master.out(0, 0x68)
        #expect(board.isRequested)
        #expect(board.pair.acknowledge() == 0x26)
        board.pair.master.out(0, 0x20)
        #expect(board.inService(board.pair.master) == 0x08, "non-specific EOI passes over the masked level")
        board.pair.master.out(0, 0x48)
        board.raise(7)
        #expect(!board.isRequested)
    }

    @Test func pollAcknowledgesOnTheNextRead() {
        let board = Board()
        board.raise(5)
        board.pair.master.out(0, 0x0C)
        #expect(board.pair.master.inb(0) == 0x85)
        #expect(!board.isRequested)
        #expect(board.inService(board.pair.master) == 0x20)
        board.pair.master.out(0, 0x0C)
        #expect(board.pair.master.inb(1) == 0)
        #expect(board.pair.master.inb(1) == 0, "the mask again: a poll lasts one read")
    }
}
