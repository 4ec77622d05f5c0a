import X86

/// A descriptor of the GDT that was loaded or verified at CPL 0, by which emitted code can do so again.
///
/// While the processor has what the GDT has still there, loading it means what it meant then: checks depend on nothing but
/// the selector, the descriptor and CPL.
struct LoadedDescriptor {
    /// `none` if there is none.
    var selector: UInt32 = none
    /// Linear address in the GDT.
    var address: UInt32 = 0
    var low: UInt32 = 0
    var high: UInt32 = 0

    /// No selector, which have 16 bits.
    static let none: UInt32 = .max
}

/// Those that emitted code knows, as long as nothing changes what loading them means.
struct LoadedDescriptors {
    /// What DS and ES were loaded from last, if that is still in them: to load it again changes nothing.
    var ds = LoadedDescriptor()
    var es = LoadedDescriptor()
    /// What FS and GS were loaded from last, if that was no null selector; `openSegments` has what came of it.
    var fs = LoadedDescriptor()
    var gs = LoadedDescriptor()
    /// The last one that VERW found writable.
    var verified = LoadedDescriptor()
}

/// What FS and GS were loaded with last that ends at 4 GiB and can be read and written.
struct OpenSegments {
    var fs = Segment()
    var gs = Segment()
}

extension Processor {
    /// Takes down what DS, ES, FS or GS has just been loaded from.
    func noteDescriptor(of register: SegmentRegister) {
        let segment = segment(register).pointee
        guard !segment.isNull, let loaded = loadedDescriptor(segment.selector) else { return }
        switch register {
        case .ds: pointee.native.descriptors.ds = loaded
        case .es: pointee.native.descriptors.es = loaded
        case .fs where segment.isOpen:
            (pointee.native.descriptors.fs, pointee.native.openSegments.fs) = (loaded, segment)
        case .gs where segment.isOpen:
            (pointee.native.descriptors.gs, pointee.native.openSegments.gs) = (loaded, segment)
        default: break
        }
    }

    /// Takes down what VERW has just found writable.
    func noteVerified(_ selector: UInt16) {
        guard let loaded = loadedDescriptor(selector) else { return }
        pointee.native.descriptors.verified = loaded
    }

    /// What a selector names, for emitted code; nil but at CPL 0 and for the GDT.
    private func loadedDescriptor(_ selector: UInt16) -> LoadedDescriptor? {
        let address = pointee.gdtr.base &+ UInt32(selector & 0xFFF8)
        guard pointee.cpl == 0, pointee.isProtected, selector & 4 == 0,
            let word = readThroughTLB(address, isUser: false, as: UInt64.self)
        else { return nil }
        return LoadedDescriptor(
            selector: UInt32(selector), address: address, low: UInt32(truncatingIfNeeded: word),
            high: UInt32(truncatingIfNeeded: word >> 32))
    }

    /// DS or ES holds something else from now on.
    @inline(__always)
    func forgetDescriptor(of register: SegmentRegister) {
        switch register {
        case .ds: pointee.native.descriptors.ds.selector = LoadedDescriptor.none
        case .es: pointee.native.descriptors.es.selector = LoadedDescriptor.none
        default: break
        }
    }

    /// Loading may mean something else from now on.
    func forgetDescriptors() { pointee.native.descriptors = LoadedDescriptors() }
}
