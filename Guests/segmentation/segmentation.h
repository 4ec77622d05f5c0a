#pragma once
#include "guest.h"

void loads(void);
void limits(void);
void code_limits(void);
void inspection(void);
void tables(void);
void sixteen_bit(void);
void real_mode(void);
