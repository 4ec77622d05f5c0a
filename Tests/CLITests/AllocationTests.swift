import Foundation
import Testing

/// Guest code runs without the heap: neither translated blocks, nor translating again what a guest rewrites, nor the run
/// loop between slices allocates. So a run that is twice as long asks for as many pieces of memory as a short one; or one
/// more, where the host's time decides, as in how many pieces output is written.
@Suite struct AllocationTests {
    /// Counts the requests of a process, and tells their number on standard error when it ends.
    private static let counter = #"""
        #include <stddef.h>
        #include <stdio.h>

        extern void *__libc_malloc(size_t size);
        extern void *__libc_calloc(size_t count, size_t size);
        extern void *__libc_realloc(void *old, size_t size);
        extern void *__libc_memalign(size_t alignment, size_t size);

        static unsigned long requests;
        static void count(void) { __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED); }

        void *malloc(size_t size) { count(); return __libc_malloc(size); }
        void *calloc(size_t number, size_t size) { count(); return __libc_calloc(number, size); }
        void *realloc(void *old, size_t size) { count(); return __libc_realloc(old, size); }
        void *aligned_alloc(size_t alignment, size_t size) { count(); return __libc_memalign(alignment, size); }
        int posix_memalign(void **result, size_t alignment, size_t size) {
            count();
            *result = __libc_memalign(alignment, size);
            return *result ? 0 : 12;
        }

        __attribute__((destructor)) static void tell(void) { fprintf(stderr, "heap requests: %lu\n", requests); }
        """#

    private static let guests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(".build/guests")

    /// Compiles the counter, for LD_PRELOAD.
    private static func buildCounter(in folder: TemporaryFolder) throws -> String {
        let library = "\(folder.path)/counter.so"
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            "clang", "-O1", "-shared", "-fPIC", "-o", library, try folder.file("counter.c", Array(counter.utf8)),
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        return library
    }

    /// Requests of a run of so many units of work.
    private static func requests(_ guest: String, units: Int, engine: String, _ library: String) throws -> Int {
        let image = guests.appendingPathComponent("compute-\(guest).elf").path
        let result = try Command.run(
            ["run", image, "--engine", engine, "--append", "units=\(units)"], environment: ["LD_PRELOAD": library])
        #expect(result.status == 1)
        let line = try #require(result.errorLines.first { $0.hasPrefix("heap requests: ") })
        return try #require(Int(line.dropFirst("heap requests: ".count)))
    }

    @Test(arguments: ["hash", "calls", "interpreter", "strings", "matrix-x87", "matrix-sse", "smc"])
    func theSteadyStateDoesNotAllocate(guest: String) throws {
        try TemporaryFolder.with { folder in
            let library = try Self.buildCounter(in: folder)
            for engine in ["interpret", "translate"] {
                let short = try Self.requests(guest, units: 100, engine: engine, library)
                let long = try Self.requests(guest, units: 200, engine: engine, library)
                #expect(short > 0)
                // Thousands of slices lie in between.
                #expect(abs(long - short) < 10, "\(guest) on \(engine)")
            }
        }
    }
}
