import Hardware
import X86

/// A processor that runs pieces of user-mode code, for comparison with a real one.
///
/// It is set up as 64-bit Linux sets up a processor for a 32-bit program: CPL 3, flat segments, IOPL 0, paging with NX,
/// and the segment descriptors that user code can find out about. Every exception enters a handler in ring 0, which
/// halts; what the run came to is read off the handler's stack.
package final class UserModeMachine {
    /// What could not be had.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Guest RAM: linear addresses of user code are physical ones.
    package let memory: PhysicalMemory
    private let cpu: Processor
    private let engine: any ExecutionEngine
    private let segments: InitialSegments
    private let extendedImage: UnsafeMutableRawPointer

    /// Instructions after which a run counts as endless. Generated code without loops stays far below.
    private static let limit: UInt64 = 20_000

    package init(_ kind: EngineKind) throws(Failure) {
        do {
            memory = try PhysicalMemory(size: 4 << 20)
            let platform = Platform(memory: memory, ports: Bus(limit: 0xFFFF), mmio: Bus(limit: .max))
            cpu = .allocate(capacity: 1)
            cpu.initialize(to: ProcessorState(platform: platform))
            cpu.reset()
            let engine = try kind.make(cpu, try Decoder())
            platform.codeWritten = { [unowned engine] in engine.codeWritten($0, count: $1) }
            self.engine = engine
        } catch {
            throw Failure(description: "\(error)")
        }
        segments = SupervisorTables.build(in: memory)
        extendedImage = memory.base + Int(SupervisorTables.extendedImage)
        memory.write(UserLayout.code, bytes: [UInt8](repeating: SupervisorTables.hlt, count: Int(UserLayout.codeSize)))
        SupervisorTables.activate(cpu)
    }

    deinit {
        cpu.pointee.release()
        cpu.deinitialize(count: 1)
        cpu.deallocate()
    }

    /// Puts `code` at `offset` of the code pages, with a jump to the exit behind it as far as there is room, runs from
    /// `context.eip` to the exit or an exception, and takes the code away again.
    ///
    /// - Parameters:
    ///   - context: in and out; the selectors going in are those of `UserLayout`, whatever it says.
    ///   - extended: 512 bytes as FXSAVE stores them, in and out.
    package func run(
        _ code: UnsafeRawBufferPointer, at offset: UInt32, context: inout UserContext,
        extended: UnsafeMutableRawPointer
    ) {
        let length = place(code, at: offset)
        load(context, extended)
        let stop = engine.run(until: cpu.pointee.instructions &+ Self.limit)
        context = result(stop)
        settle()
        (memory.base + Int(UserLayout.code + offset)).initializeMemory(
            as: UInt8.self, repeating: SupervisorTables.hlt, count: Int(length))
        noteCode(offset, length)
        executeExtended(.fxsave)
        extended.copyMemory(from: extendedImage, byteCount: 512)
    }

    /// Returns how many bytes it put there.
    private func place(_ code: UnsafeRawBufferPointer, at offset: UInt32) -> UInt32 {
        let start = UserLayout.code + offset
        let count = UInt32(code.count)
        UnsafeMutableRawBufferPointer(start: memory.base + Int(start), count: code.count).copyMemory(from: code)
        var jump = (UserLayout.exit &- (start + count + 5)).littleEndian
        let room = min(UserLayout.codeSize - offset - count, 5)
        if room > 0 {
            memory.write(start + count, UInt8(0xE9))
            let place = memory.base + Int(start + count + 1)
            withUnsafeBytes(of: &jump) {
                UnsafeMutableRawBufferPointer(start: place, count: 4).copyMemory(
                    from: .init(rebasing: $0[..<Int(room - 1)]))
            }
        }
        noteCode(offset, count + room)
        return count + room
    }

    private func noteCode(_ offset: UInt32, _ length: UInt32) {
        var address = UserLayout.code + offset
        let end = address + length
        while address < end {
            let count = min(end - address, 64 - address & 63)
            cpu.noteCodeWrite(address, count: count)
            address += count
        }
    }

    private func load(_ context: UserContext, _ extended: UnsafeRawPointer) {
        extendedImage.copyMemory(from: extended, byteCount: 512)
        executeExtended(.fxrstor)
        for index in 0..<8 { cpu.setRegister(UInt8(index * 4), context.registers[index]) }
        cpu.setSegment(.cs, segments.code)
        for register in [SegmentRegister.es, .ss, .ds] { cpu.setSegment(register, segments.data) }
        cpu.setSegment(.fs, segments.window)
        cpu.setSegment(.gs, Segment())
        cpu.setCPL(3)
        cpu.pointee.status = StatusFlags(image: context.eflags)
        cpu.pointee.systemFlags = context.eflags & ~Flags.status | Flags.reserved1
        cpu.flagsChanged()
        cpu.pointee.eip = context.eip
    }

    /// FXSAVE or FXRSTOR, by the processor's own semantics, at ring 0.
    private func executeExtended(_ operation: Operation) {
        var instruction = Instruction(operation)
        instruction.operands.0 = Operand(.memory)
        instruction.memory = MemoryOperand(segment: .ss, displacement: SupervisorTables.extendedImage)
        do throws(Fault) {
            try withUnsafePointer(to: &instruction) { pointer throws(Fault) in try cpu.execute(pointer) }
        } catch {
            preconditionFailure("\(operation) raises vector \(error.vector): the case's image cannot be loaded")
        }
    }

    private func result(_ stop: EngineStop) -> UserContext {
        var context = UserContext()
        for index in 0..<8 { context.registers[index] = cpu.register(UInt8(index * 4), as: UInt32.self) }
        context.selectors[0] = cpu.pointee.es.selector
        context.selectors[1] = cpu.pointee.cs.selector
        context.selectors[2] = cpu.pointee.ss.selector
        context.selectors[3] = cpu.pointee.ds.selector
        context.selectors[4] = cpu.pointee.fs.selector
        context.selectors[5] = cpu.pointee.gs.selector
        context.eflags = cpu.eflags
        context.eip = cpu.pointee.eip
        switch stop {
        case .halted: readFrame(&context)
        case .shutdown: context.vector = UserContext.shutdown
        case .sliceEnd, .external, .diverged, .unsafeCode: context.vector = UserContext.runaway
        }
        return context
    }

    /// What the handler finds on its stack (SDM 3A figure 6-5), from the top: SS, ESP, EFLAGS, CS, EIP, error code.
    private func readFrame(_ context: inout UserContext) {
        func word(_ index: UInt32) -> UInt32 {
            memory.read(SupervisorTables.stackTop - index * 4, as: UInt32.self) ?? 0
        }
        context.vector = context.eip - 1 - SupervisorTables.handlers
        context.selectors[2] = UInt16(truncatingIfNeeded: word(1))
        context.registers[4] = word(2)
        context.eflags = word(3)
        context.selectors[1] = UInt16(truncatingIfNeeded: word(4))
        context.eip = word(5)
        context.errorCode = SupervisorTables.stackTop - cpu.pointee.esp == 24 ? word(6) : 0
        context.cr2 = context.vector == UInt32(Vector.pageFault) ? cpu.pointee.cr2 : 0
        if context.eip == UserLayout.exit, context.cr2 == UserLayout.exit { context.vector = UserContext.ended }
    }

    /// Back to ring 0, with nothing pending.
    private func settle() {
        cpu.setCPL(0)
        cpu.setSegment(.ss, segments.supervisorStack)
        cpu.pointee.pendingDebug = 0
        for reason in [Attention.halted, .shutdown, .debugTrap, .external] { cpu.setAttention(reason, false) }
    }
}
