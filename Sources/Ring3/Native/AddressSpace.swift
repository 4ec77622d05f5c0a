#if arch(x86_64) && os(Linux)
    import Hardware

    /// What is remembered of a guest address space: its windows and jump caches, of the supervisor and of the user.
    final class AddressSpace {
        /// What CR3 was, or `unpaged`.
        fileprivate var root: UInt64 = unpaged
        fileprivate var lastUse: UInt64 = 0
        private let supervisor: View
        private let user: View
        /// Where global translations were flushed since it was current.
        fileprivate var flushed = RegionSet()

        /// As one privilege level sees it.
        final class View {
            let window: ShadowWindow
            /// By mode: a jump leads to a block of the same.
            private let jumpCaches = UnsafeMutablePointer<Unmanaged<JumpCache>?>.allocate(capacity: NativeMode.count)
            private let jumpRoom: JumpRoom
            private let targets: FarTargets

            fileprivate init(
                _ memory: PhysicalMemory, _ targets: FarTargets, isUser: Bool, anticipates: Bool
            ) throws(CodeArena.Failure) {
                window = try ShadowWindow(memory, isUser: isUser, anticipates: anticipates)
                jumpRoom = try JumpRoom(targets)
                self.targets = targets
                jumpCaches.initialize(repeating: nil, count: NativeMode.count)
            }

            deinit {
                for mode in 0..<NativeMode.count { jumpCaches[mode]?.release() }
                jumpCaches.deallocate()
            }

            func jumps(_ mode: NativeMode) -> JumpCache {
                if let known = jumpCaches[Int(mode.rawValue)] { return known.takeUnretainedValue() }
                let new = JumpCache(in: jumpRoom, mode, targets)
                jumpCaches[Int(mode.rawValue)] = Unmanaged.passRetained(new)
                return new
            }

            /// Without counting references, which takes longer than looking into a cache that is not concerned.
            fileprivate func forEachJumpCache(_ body: (JumpCache) -> Void) {
                for mode in 0..<NativeMode.count { jumpCaches[mode]?._withUnsafeGuaranteedRef(body) }
            }

            /// The page at `linear` is to be looked up anew, or forgotten unless `keeping` it if it is where it was.
            fileprivate func pageFlushed(_ cpu: Processor, _ linear: UInt32, isUser: Bool, keeping: Bool) {
                if keeping { window.revalidate(cpu, page: linear) } else { window.forget(page: linear) }
                forEachJumpCache { $0.revalidate(cpu, isUser: isUser, page: linear) }
            }
        }

        fileprivate static let unpaged = UInt64.max

        fileprivate init(
            _ memory: PhysicalMemory, _ targets: FarTargets, anticipates: Bool
        ) throws(CodeArena.Failure) {
            supervisor = try View(memory, targets, isUser: false, anticipates: anticipates)
            user = try View(memory, targets, isUser: true, anticipates: anticipates)
        }

        func view(isUser: Bool) -> View { isUser ? user : supervisor }
        fileprivate var views: [View] { [supervisor, user] }

        fileprivate func pageFlushed(_ cpu: Processor, _ linear: UInt32, keeping: Bool) {
            supervisor.pageFlushed(cpu, linear, isUser: false, keeping: keeping)
            user.pageFlushed(cpu, linear, isUser: true, keeping: keeping)
        }
    }

    /// The guest's address spaces of late, one of which is current. A guest that loads CR3 finds what it left behind, as
    /// far as its page tables still say the same; a new address space takes over the least recently used one, in which
    /// the kernel's half still holds.
    ///
    /// A processor may do so, too: it walks page tables also for accesses that only might come (SDM 3A 4.10.2.3). But then
    /// accessed bits are set at other times than on the interpreter. Where engines have to be equal, one address space is
    /// all there is, and what the guest flushes is forgotten.
    final class AddressSpaces {
        /// Each takes two windows of 4 GiB of the host's addresses.
        private static let most = 16
        /// The host allows a process 65,530, of which others need some.
        private static let mostMappings = 40_000

        private let memory: PhysicalMemory
        private let targets: FarTargets
        private var spaces: [AddressSpace]
        private(set) var current: AddressSpace
        private var clock: UInt64 = 0
        /// Of the current one: where its windows begin, and its jump caches by privilege level and mode; 0 for those that
        /// there are not yet. Looked up whenever emitted code is entered.
        private let table = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * (1 + NativeMode.count))

        private let keepsTranslations: Bool
        /// The host has no more mappings for the windows than this.
        private var mappingBound = 0

        /// - Parameter keepsTranslations: what the guest flushes may stay if it is still right.
        init(
            _ memory: PhysicalMemory, _ targets: FarTargets, keepsTranslations: Bool
        ) throws(CodeArena.Failure) {
            self.memory = memory
            self.targets = targets
            self.keepsTranslations = keepsTranslations
            current = try AddressSpace(memory, targets, anticipates: keepsTranslations)
            spaces = [current]
            fillTable()
        }

        deinit { table.deallocate() }

        /// Host addresses that emitted code can reach by way of them.
        var windows: [Range<UInt64>] { spaces.flatMap { $0.views.map(\.window.addresses) } }

        private func fillTable() {
            for isUser in [false, true] {
                let row = table + (isUser ? 1 + NativeMode.count : 0)
                row.initialize(repeating: 0, count: 1 + NativeMode.count)
                row[0] = current.view(isUser: isUser).window.base
            }
        }

        /// Where the current window begins, and the jump cache for a mode.
        @inline(__always)
        func places(isUser: Bool, _ mode: NativeMode) -> (window: UInt64, jumps: UInt64) {
            let row = table + (isUser ? 1 + NativeMode.count : 0)
            let place = row + 1 + Int(mode.rawValue)
            if place.pointee == 0 {
                place.pointee = UInt64(UInt(bitPattern: current.view(isUser: isUser).jumps(mode).entries))
            }
            return (row[0], place.pointee)
        }

        /// The guest has flushed everything, or everything that is not global, and perhaps loaded CR3.
        func flush(_ cpu: Processor, keepingGlobal: Bool) {
            guard !keepsTranslations else {
                if !keepingGlobal { for space in spaces { space.flushed = .all } }
                return activate(cpu)
            }
            for view in current.views {
                view.window.forget(keepingGlobal: keepingGlobal)
                view.forEachJumpCache { $0.removeAll() }
            }
        }

        /// Makes the address space current whose tables the processor uses now, and forgets of it what does not hold any
        /// more.
        private func activate(_ cpu: Processor) {
            let root = cpu.pointee.cr0 & CR0.pg != 0 ? UInt64(cpu.pointee.cr3) : AddressSpace.unpaged
            if current.root != root {
                current = space(for: root)
                fillTable()
            }
            clock &+= 1
            current.lastUse = clock
            for isUser in [false, true] {
                let view = current.view(isUser: isUser)
                view.window.revalidate(cpu, flushed: current.flushed)
                view.forEachJumpCache { $0.revalidate(cpu, isUser: isUser, flushed: current.flushed) }
            }
            current.flushed = RegionSet()
        }

        private func space(for root: UInt64) -> AddressSpace {
            if let known = spaces.first(where: { $0.root == root }) { return known }
            var space = spaces.min { $0.lastUse < $1.lastUse } ?? current
            if spaces.count < Self.most, let new = try? AddressSpace(memory, targets, anticipates: true) {
                spaces.append(new)
                space = new
            }
            space.root = root
            return space
        }

        /// The page at `linear` is to be looked up anew. Other address spaces will be when they become current.
        func pageFlushed(_ cpu: Processor, _ linear: UInt32) {
            if spaces.count > 1 {
                for space in spaces where space !== current { space.flushed.insert(linear) }
            }
            current.pageFlushed(cpu, linear, keeping: keepsTranslations)
        }

        /// Writes to the page at `physical` must be seen from now on: it holds code.
        func protect(_ physical: UInt32) {
            for space in spaces {
                for view in space.views { view.window.protect(physical) }
            }
        }

        /// Lets the guest access `linear`, if that is possible. If it faults, nothing is raised, nor CR2 changed: the guest's
        /// instruction may access it as the supervisor does, or not at all.
        func fill(_ cpu: Processor, _ linear: UInt32, isUser: Bool, isWrite: Bool) -> ShadowWindow.Filling {
            let cr2 = cpu.pointee.cr2
            defer { cpu.pointee.cr2 = cr2 }
            mappingBound += ShadowWindow.mostMappingsOfFilling
            if mappingBound > Self.mostMappings {
                mappingBound = spaces.reduce(0) { $0 + $1.views.reduce(0) { $0 + $1.window.mappingCount } }
                if mappingBound > Self.mostMappings { unmapAll() }
            }
            let window = current.view(isUser: isUser).window
            let filling = window.fill(cpu, linear, isWrite: isWrite)
            guard case .failed = filling else { return filling }
            unmapAll()
            return window.fill(cpu, linear, isWrite: isWrite)
        }

        private func unmapAll() {
            mappingBound = 0
            for space in spaces {
                for view in space.views { view.window.dropAll() }
            }
        }

        /// No block is where it was.
        func forgetBlocks() {
            for space in spaces {
                for view in space.views { view.forEachJumpCache { $0.removeAll() } }
            }
        }
    }
#endif
