#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc

    /// Memory for emitted code, mapped twice: written through one mapping, executed through the other, so that nothing is
    /// ever writable and executable at one address.
    final class CodeArena {
        /// Bytes; multiple of the page size.
        let size: Int
        let writable: UnsafeMutablePointer<UInt8>
        let executable: UInt64

        /// The host refused; `errno` says why.
        struct Failure: Error {
            let errno: Int32
        }

        init(size: Int) throws(Failure) {
            self.size = size
            let file = ring3_memfd_create("ring3-code")
            guard file >= 0 else { throw Failure(errno: errno) }
            defer { close(file) }
            guard ftruncate(file, size) == 0,
                let writing = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), writing != MAP_FAILED
            else { throw Failure(errno: errno) }
            guard let executing = mmap(nil, size, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0),
                executing != MAP_FAILED
            else {
                let error = errno
                munmap(writing, size)
                throw Failure(errno: error)
            }
            writable = writing.bindMemory(to: UInt8.self, capacity: size)
            executable = UInt64(UInt(bitPattern: executing))
        }

        deinit {
            munmap(writable, size)
            munmap(UnsafeMutableRawPointer(bitPattern: UInt(executable)), size)
        }
    }
#endif
