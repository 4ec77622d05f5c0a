/* Everything a guest needs. */
#pragma once
#include "types.h"
#include "layout.h"
#include "machine.h"
#include "memory.h"
#include "console.h"
#include "descriptors.h"
#include "trap.h"
#include "check.h"
