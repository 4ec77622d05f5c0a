#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc

    /// Memory for emitted code, mapped twice: written through one mapping, executed through the other, so that nothing is
    /// ever writable and executable at one address.
    ///
    /// ```
    /// executable │ code, `size` bytes │ counters │    code reaches counters relative to RIP
    /// ```
    final class CodeArena {
        /// Bytes; multiple of the page size.
        let size: Int
        let writable: UnsafeMutablePointer<UInt8>
        let executable: UInt64
        /// Where emitted code may count; as long as nobody counts, it is nothing but addresses.
        let counters: UnsafeMutableBufferPointer<UInt64>
        /// Offset of the first counter, as if it belonged to the code.
        var countersPlace: Int { size }

        /// The host refused; `errno` says why.
        struct Failure: Error {
            let errno: Int32
        }

        init(size: Int, counters count: Int = 0) throws(Failure) {
            self.size = size
            let wholeSize = size + count * MemoryLayout<UInt64>.stride
            let file = ring3_memfd_create("ring3-code")
            guard file >= 0 else { throw Failure(errno: errno) }
            defer { close(file) }
            guard ftruncate(file, size) == 0,
                let writing = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), writing != MAP_FAILED
            else { throw Failure(errno: errno) }
            let (anonymous, shared) = (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, MAP_SHARED | MAP_FIXED)
            guard let executing = mmap(nil, wholeSize, PROT_READ | PROT_WRITE, anonymous, -1, 0),
                executing != MAP_FAILED
            else {
                let error = errno
                munmap(writing, size)
                throw Failure(errno: error)
            }
            guard mmap(executing, size, PROT_READ | PROT_EXEC, shared, file, 0) != MAP_FAILED else {
                let error = errno
                munmap(writing, size)
                munmap(executing, wholeSize)
                throw Failure(errno: error)
            }
            writable = writing.bindMemory(to: UInt8.self, capacity: size)
            executable = UInt64(UInt(bitPattern: executing))
            counters = UnsafeMutableBufferPointer(
                start: (executing + size).bindMemory(to: UInt64.self, capacity: count), count: count)
        }

        deinit {
            munmap(writable, size)
            munmap(
                UnsafeMutableRawPointer(bitPattern: UInt(executable)),
                size + counters.count * MemoryLayout<UInt64>.stride)
        }
    }
#endif
