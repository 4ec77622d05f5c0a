import X86

/// A descriptor that DS, ES, FS or GS was loaded from, as long as loading the register again would change nothing unless
/// the descriptor itself has changed.
struct LoadedDescriptor {
    /// `none` if there is none.
    var selector: UInt32 = none
    /// Linear address in the GDT.
    var address: UInt32 = 0
    var low: UInt32 = 0
    var high: UInt32 = 0

    /// No selector, which have 16 bits.
    static let none: UInt32 = .max

    fileprivate var dpl: UInt8 { UInt8(truncatingIfNeeded: high >> 13) & 3 }
}

extension Processor {
    /// Takes down what a segment register has just been loaded from, if that was the GDT.
    func noteDescriptor(of register: SegmentRegister) {
        let selector = segment(register).pointee.selector
        let address = pointee.gdtr.base &+ UInt32(selector & 0xFFF8)
        guard pointee.isProtected, !pointee.isVirtual8086, selector & 4 == 0, !segment(register).pointee.isNull,
            let word = readThroughTLB(address, isUser: false, as: UInt64.self)
        else { return }
        pointee.native.descriptors[Int(register.rawValue)] = LoadedDescriptor(
            selector: UInt32(selector), address: address, low: UInt32(truncatingIfNeeded: word),
            high: UInt32(truncatingIfNeeded: word >> 32))
        lookForPrivilegedDescriptors()
    }

    func forgetDescriptor(of register: SegmentRegister) {
        // On other engines there never is one.
        guard pointee.native.descriptors[Int(register.rawValue)].selector != LoadedDescriptor.none else { return }
        pointee.native.descriptors[Int(register.rawValue)].selector = LoadedDescriptor.none
        lookForPrivilegedDescriptors()
    }

    /// Loading may mean something else from now on.
    func forgetDescriptors() {
        for register in SegmentRegister.dataRegisters { forgetDescriptor(of: register) }
    }

    /// Those with a smaller DPL may not be loaded any more.
    func forgetDescriptors(above cpl: UInt8) {
        guard pointee.native.hasPrivilegedDescriptors != 0 else { return }
        for register in SegmentRegister.dataRegisters
        where pointee.native.descriptors[Int(register.rawValue)].dpl < cpl {
            forgetDescriptor(of: register)
        }
    }

    private func lookForPrivilegedDescriptors() {
        let isFound = SegmentRegister.dataRegisters.contains {
            let loaded = pointee.native.descriptors[Int($0.rawValue)]
            return loaded.selector != LoadedDescriptor.none && loaded.dpl < 3
        }
        pointee.native.hasPrivilegedDescriptors = isFound ? 1 : 0
    }
}
