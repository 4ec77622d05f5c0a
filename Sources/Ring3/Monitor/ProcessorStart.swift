import X86

extension Processor {
    /// Puts the processor into the state a boot protocol promises.
    func start(_ state: StartState) {
        reset()
        pointee.eax = state.eax
        pointee.ebx = state.ebx
        pointee.ecx = state.ecx
        pointee.edx = state.edx
        pointee.esi = state.esi
        pointee.edi = state.edi
        pointee.ebp = state.ebp
        pointee.esp = state.esp
        switch state.cpuMode {
        case .protectedFlat(let gdtBase, let gdtLimit, let code, let data):
            pointee.gdtr = DescriptorTable(base: gdtBase, limit: gdtLimit)
            pointee.idtr = DescriptorTable(base: 0, limit: 0)
            pointee.cr0 = CR0.et | CR0.pe
            pointee.isProtected = true
            setSegment(.cs, Segment(selector: code, low: 0xFFFF, high: 0x00CF_9B00))
            for register in [SegmentRegister.es, .ss, .ds, .fs, .gs] {
                setSegment(register, Segment(selector: data, low: 0xFFFF, high: 0x00CF_9300))
            }
        }
        pointee.eip = state.eip
        flagsChanged()
    }
}

extension ProcessorState {
    /// Gives back what `init` allocated.
    func release() {
        tlbBanks.deallocate()
        tlbLocal.deallocate()
        codeMap.deallocate()
        platform.release()
    }
}
