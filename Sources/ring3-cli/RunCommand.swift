import ArgumentParser
import Logging
import Ring3

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Boots an image: a Multiboot 1 or 2 kernel, or a Linux bzImage.",
        discussion: """
            EXAMPLES
              ring3 run .build/guests/hello.elf
              ring3 run vmlinuz --memory 256M --initrd initrd.gz \\
                  --append console=ttyS0
              echo 'uname -a; poweroff -f' | ring3 run vmlinuz \\
                  --initrd initrd.gz --append console=ttyS0
              ring3 run kernel.elf --module data.bin,key=value --timeout 10
              ring3 run kernel.elf --deterministic --stats json
              ring3 run kernel.elf --engine translate --lockstep interpret

            INPUT
              On a terminal every key goes to the guest, except:
                Ctrl-A x       end the run
                Ctrl-A h       list these keys
                Ctrl-A Ctrl-A  send Ctrl-A
              From a pipe or file it is typed line by line, each line when the
              guest waits for it.

            EXIT STATUS
                0  power-off, final HLT, reset by the guest, or Ctrl-A x
              odd  the guest wrote V to the debug-exit port 0xF4: 2 * V + 1,
                   modulo 256, as with QEMU
               64  a mistake on the command line
               66  a file that cannot be read or booted
               70  engines in lockstep differ, or the verifier refuses emitted
                   code: a defect of Ring3
               71  the host refused memory or the like
               73  an output file that cannot be created
               74  output was lost
              120  triple fault
              122  --max-instructions were executed
              124  --timeout has passed
            128+N  ended by signal N: 130 for Ctrl-C, 143 for kill
            """)

    @Argument(help: "The kernel to boot.", completion: .file())
    var image: String

    @OptionGroup var machine: MachineOptions

    @Option(help: "Draw the VGA text screen in the terminal; keys go to the PS/2 keyboard.")
    var display = RunOptions.Display.none

    @Option(help: ArgumentHelp("Write what the screen shows in the end, as UTF-8 text.", valueName: "file"))
    var screen: String?

    @Option(help: "Print counters to standard error when the run ends.")
    var stats: RunOptions.StatisticsFormat?

    @Option(
        help: ArgumentHelp(
            """
            Run a second machine with this engine in step, and stop where the two differ; implies --deterministic.
            """, valueName: "engine"))
    var lockstep: Engine?

    @Flag(help: "Have all code that the native engine emits verified before it is executed.")
    var verify = false

    func validate() throws {
        if verify, machine.chosenEngine != .native, lockstep != .native {
            throw ValidationError("--verify: only --engine native emits code.")
        }
        if let lockstep, lockstep == machine.chosenEngine {
            throw ValidationError("--lockstep \(lockstep.rawValue): another engine than --engine is needed.")
        }
    }

    func run() throws {
        throw ExitCode(try RunSession(options, log: machine.log).run().exitStatus)
    }

    private var options: RunOptions {
        var options = machine.runOptions(image: image)
        options.machine.lockstep = lockstep
        options.machine.verifiesEmittedCode = verify
        if lockstep != nil { options.machine.isDeterministic = true }
        options.display = display
        options.screenFile = screen
        options.statistics = stats
        return options
    }
}
