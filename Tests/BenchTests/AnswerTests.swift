import Testing

@testable import BenchKit

@Suite struct AnswerTests {
    @Test func differentChecksums() throws {
        let (sieve, host, interpret) = try (
            Samples.workload("sieve"), Samples.contender("host"), Samples.contender("interpret")
        )
        var answers = Answers()
        #expect(!answers.isKnown(sieve, units: 10))
        try answers.check(Samples.sample(checksum: 7).answer, of: sieve, units: 10, by: host)
        #expect(answers.isKnown(sieve, units: 10))
        #expect(!answers.isKnown(sieve, units: 20), "another amount of work has another answer")
        try answers.check(Samples.sample(checksum: 7).answer, of: sieve, units: 10, by: interpret)
        #expect(throws: RunProblem.wrongChecksum(got: 8, expected: 7, by: "host")) {
            try answers.check(Samples.sample(checksum: 8).answer, of: sieve, units: 10, by: interpret)
        }
    }

    @Test func lessWorkThanAsked() throws {
        let (sieve, host) = try (Samples.workload("sieve"), Samples.contender("host"))
        var answers = Answers()
        #expect(throws: RunProblem.checkFailed("did 10 units of 20")) {
            try answers.check(Samples.sample(operations: 10).answer, of: sieve, units: 20, by: host)
        }
    }

    @Test func operationsWithoutEffect() throws {
        let (syscall, interpret) = try (Samples.workload("syscall"), Samples.contender("interpret"))
        var answers = Answers()
        #expect(answers.isKnown(syscall, units: 1))
        try answers.check(Samples.sample(operations: 10, checksum: 10).answer, of: syscall, units: 1, by: interpret)
        #expect(throws: RunProblem.checkFailed("9 of 10 operations had their effect")) {
            try answers.check(Samples.sample(operations: 10, checksum: 9).answer, of: syscall, units: 1, by: interpret)
        }
        #expect(RunProblem.checkFailed("x").isWrongAnswer)
        #expect(!RunProblem.timedOut(seconds: 1).isWrongAnswer)
    }

    @Test func guestOutput() {
        var guest = GuestOutput()
        #expect(guest.take(Array("beg".utf8)).isEmpty)
        #expect(guest.take(Array("in\r\nend\r\noperations 12\r\n".utf8)) == [.begin, .end])
        #expect(
            guest.take(Array("checksum 0xAB\nFAIL x: got 1\nFAIL y\ncompute: 0 passed, 2 failed\n".utf8)) == [.finished]
        )
        #expect(guest.operations == 12 && guest.checksum == 0xAB && guest.isFinished)
        #expect(guest.failure == "x: got 1")
        #expect(guest.lastLine == "compute: 0 passed, 2 failed")
    }

    @Test func strangeOutput() {
        var guest = GuestOutput()
        #expect(guest.take(Array("the end\nbegin now\noperations many\nchecksum 12\nskip x: y\n".utf8)).isEmpty)
        #expect(guest.operations == nil && guest.checksum == nil && guest.skipped == "x: y" && !guest.isFinished)
        #expect(guest.take(repeatElement(UInt8(ascii: "a"), count: 100_000)).isEmpty)
        _ = guest.take([10])
        #expect(guest.lastLine.count < 10_000)
    }
}
