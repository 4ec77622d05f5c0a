/* Every vector from 0 to 31 that an instruction can raise: which one, with what error code, saved EIP and flags. */
#include "guest.h"
#include "exceptions.h"

const char guest_name[] = "exceptions";

void guest_main(void) {
    faults();
    privileged();
    debug_exceptions();
    software_interrupts();
    page_faults();
    double_faults();
}
