import Testing

@testable import Hardware

@Suite struct DebugPortTests {
    @Test func consoleEmitsBytesAndCanBeFound() {
        var output: [UInt8] = []
        let console = DebugConsole { output.append($0) }
        console.out(0, 0x41)
        #expect(console.inb(0) == 0xE9)
        #expect(output == [0x41])
    }

    @Test(arguments: [(UInt32(0), 1, UInt32(1)), (0x10, 1, 0x21), (0xFFFF_FFFF, 4, 0xFFFF_FFFF)])
    func exitStatus(value: UInt32, width: Int, status: UInt32) {
        let exit = DebugExit()
        var statuses: [UInt32] = []
        exit.onExit = { statuses.append($0) }
        #expect(exit.read(offset: 0, width: 4) == 0)
        #expect(statuses.isEmpty)
        exit.write(offset: 0, value: value, width: width)
        #expect(statuses == [status])
    }

    @Test func postPortKeepsTheLastCode() {
        let port = POSTPort()
        port.out(0, 0x55)
        #expect(port.code == 0x55)
        #expect(port.inb(0) == 0x55)
    }
}
