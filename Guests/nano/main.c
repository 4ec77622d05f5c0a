/* "op=NAME units=N": that operation N units long, between the lines "begin" and "end". Without: a little of each, checked. */
#include "command_line.h"
#include "nano.h"
#include "options.h"

const char guest_name[] = "nano";
volatile u32 nano_events;

static const struct nano *const nanos[] = {
    &syscall_nano, &sysenter_nano, &port_nano, &control_nano, &call_nano, &page_fault_nano, &divide_nano,
    &pte_write_nano, &pte_remap_nano, &context_nano, &timer_nano,
};

static void run(const struct nano *nano, u32 units, bool tells) {
    if (nano->missing && !cpu_has(nano->feature)) return skip(nano->name, nano->missing);
    u32 operations = units * nano->operations;
    if (nano->prepare) nano->prepare();
    if (tells) print("begin\n");
    u32 done = nano->run(operations);
    if (tells) print("end\noperations %u\nchecksum %x\n", operations, done);
    if (nano->restore) nano->restore();
    check(nano->name, done, operations);
}

void guest_main(void) {
    const char *line = command_line();
    bool some = find_option(line, "op"), found = false;
    for (u32 i = 0; i < length_of(nanos); i++)
        if (!some || is_option(line, "op", nanos[i]->name))
            run(nanos[i], number_option(line, "units", 2), some), found = true;
    if (!found) check_string("op=", "unknown", "an operation");
}
