#pragma once

void faults(void);
void privileged(void);
void debug_exceptions(void);
void software_interrupts(void);
void page_faults(void);
void double_faults(void);
