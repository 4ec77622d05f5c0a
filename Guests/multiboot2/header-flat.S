#define FLAT
#include "header.h"
