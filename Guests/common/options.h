/* Words of the form "name=value" on a command line. Uses nothing but types.h, so that it also compiles for the host. */
#pragma once
#include "types.h"

/* What follows "name=" in `line`, up to the line's end; 0 if there is no such word. */
static inline const char *find_option(const char *line, const char *name) {
    for (bool begins = true; *line; begins = *line++ == ' ') {
        if (!begins) continue;
        const char *at = line, *letter = name;
        while (*letter && *at == *letter) at++, letter++;
        if (!*letter && *at == '=') return at + 1;
    }
    return 0;
}

/* The decimal number in "name=number", or `otherwise`. */
static inline u32 number_option(const char *line, const char *name, u32 otherwise) {
    const char *digit = find_option(line, name);
    if (!digit || *digit < '0' || *digit > '9') return otherwise;
    u32 value = 0;
    while (*digit >= '0' && *digit <= '9') value = value * 10 + (u32)(*digit++ - '0');
    return value;
}

/* Whether `line` has the word "name=value". */
static inline bool is_option(const char *line, const char *name, const char *value) {
    const char *at = find_option(line, name);
    if (!at) return false;
    while (*value && *at == *value) at++, value++;
    return !*value && (!*at || *at == ' ');
}
