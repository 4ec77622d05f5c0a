/* Runs a workload in ring 0: "units=N" on the command line says how much. The lines "begin" and "end" on COM1 let whoever
 * looks on take the time between them, without boot and preparation. */
#include "guest.h"
#include "command_line.h"
#include "compute.h"
#include "options.h"

void guest_main(void) {
    u32 units = number_option(command_line(), "units", 0);
    asm volatile("fninit");
    if (cpu_has(CPU_SSE)) write_cr4(read_cr4() | CR4_OSFXSR);
    prepare();
    print("begin\n");
    u32 checksum = compute(units ? units : SELF_CHECK_UNITS);
    print("end\n");
    print("operations %u\nchecksum %x\n", units ? units : SELF_CHECK_UNITS, checksum);
    if (units) check_string("ran to its end", "", "");
    else check("checksum", checksum, expected_checksum);
}
