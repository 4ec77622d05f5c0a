#if arch(x86_64) && os(Linux)
    /// The ways out of a block that `NativeTranslator` emits: to other blocks, and to the monitor.
    extension NativeTranslator {
        /// Leaves for `target`, having executed the instructions through `index`, whose flags lack `debt`: by a jump that
        /// can be linked if it lies on the same page, else through the jump cache. By a call, if the guest may return.
        func emitExit(
            to target: UInt32, after index: Int, owing debt: HostFlagDebt, returningTo next: UInt32? = nil
        ) {
            host.pay(debt)
            cache.profile?.countExit(after: index, &host)
            emitUncount(behind: index)
            emitJump(to: target, returningTo: next, &host)
        }

        /// The exit of the conditional jump at `index`, whose distance is at `place`. A direct one needs it as long as it is not
        /// linked, or where executions are counted.
        func emitExit(to target: UInt32, ofJumpAt place: Int, _ index: Int) {
            let isDirect = isDirect(index)
            guard !isDirect || cache.profile != nil else { return emitUnlinked(target, at: place, &host) }
            host.patch(at: place, to: host.offset)
            guard isDirect else {
                emitX87Notes(instruction(index).pointee.x87, before: index)
                return emitExit(to: target, after: index, owing: instruction(index).pointee.debt)
            }
            cache.profile?.countExit(after: index, isDirect: true, &host)
            emitJump(to: target, &host)
        }

        func emitJump(to target: UInt32, returningTo next: UInt32? = nil, _ host: inout HostAssembler) {
            guard block.links(to: target) else { return emitFarJump(to: target, returningTo: next, &host) }
            let place = next == nil ? host.jump(to: host.offset + 5) : host.call(host.offset + 5)
            if let next { emitReturn(to: next, &host) }
            emitUnlinked(target, at: place, &host)
        }

        /// Where a jump or call to `target`, whose distance is at `place`, leads as long as it is not linked. One to the block's
        /// own start leads there from the outset, and still does once the block is stale, which its entry sees to.
        private func emitUnlinked(_ target: UInt32, at place: Int, _ host: inout HostAssembler) {
            guard target != block.eip else {
                _ = cache.add(NativeSite(kind: .own, block: cache.nextBlock, eip: target, place: UInt32(place)))
                return host.patch(at: place, to: Int(block.entry))
            }
            host.patch(at: place, to: host.offset)
            let site = NativeSite(
                kind: .link, block: cache.nextBlock, eip: target, place: UInt32(place),
                unlinked: UInt32(host.offset))
            emitLeave(site, &host)
        }

        /// Where a call comes back to: goes on at `eip` if R8D says that the guest has come back there, or wherever it
        /// has.
        ///
        /// Compares without a flag: see `ZeroBranch`.
        func emitReturn(to eip: UInt32, _ host: inout HostAssembler) {
            host.move(.r10, .rcx)
            host.bytes(0x41, 0x8D, 0x88)  // lea ecx, [r8 - eip]
            host.dword(UInt32(branch.bias) &- eip)
            branch.emit(&host) {
                emitJump(to: eip, &$0)
            } otherwise: {
                $0.jump(to: stubs.lookup)
            }
        }

        func emitLeave(_ site: NativeSite) { emitLeave(site, &host) }

        func emitLeave(_ site: NativeSite, _ host: inout HostAssembler) {
            host.move(.r8, immediate: cache.add(site))
            host.jump(to: stubs.leave)
        }

        func emitCallout(_ index: Int) {
            emitLeave(calloutSite(index))
        }

        /// Jumps to, or calls, the block for an address on another page, or where one may cross into another.
        private func emitFarJump(to target: UInt32, returningTo next: UInt32?, _ host: inout HostAssembler) {
            host.move(
                .r8, immediate: cache.add(NativeSite(kind: .far, block: cache.nextBlock, eip: target)))
            JumpCacheLookup.emitFarJump(targets.note(target), &host, isCall: next != nil)
            if let next { emitReturn(to: next, &host) }
        }

        /// Jumps to, or calls, the block for the address in R8D, or leaves with it in EIP.
        func emitLookup(returningTo next: UInt32?, _ host: inout HostAssembler) {
            JumpCacheLookup.emitJump(&host, isCall: next != nil)
            if let next { emitReturn(to: next, &host) }
        }
    }
#endif
