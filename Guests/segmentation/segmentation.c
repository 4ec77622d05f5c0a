/* Segmentation: loading, limits, rights, tables, 16-bit segments and real mode (SDM 3A 3.4, 3.5, 5.2 to 5.6). */
#include "segmentation.h"

const char guest_name[] = "segmentation";

void guest_main(void) {
    loads();
    limits();
    code_limits();
    inspection();
    tables();
    sixteen_bit();
    real_mode();
}
