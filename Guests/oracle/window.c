/* The memory that cases may change: put back after each, and what changed reported. */
#include "oracle.h"

typedef u32 vector __attribute__((vector_size(16)));

static const u8 *original(u32 address) {
    return (const u8 *)(FILE_ADDRESS + (address < STACK_ADDRESS ? FILE_DATA + address - DATA_ADDRESS
                                                                : FILE_STACK + address - STACK_ADDRESS));
}

void fill_windows(void) {
    memcpy((void *)DATA_ADDRESS, original(DATA_ADDRESS), DATA_SIZE + CONSTANTS_SIZE);
    memcpy((void *)STACK_ADDRESS, original(STACK_ADDRESS), STACK_SIZE);
}

/* FNV-1a over addresses and values, by words. */
static u32 hash(u32 state, u32 address, u32 value) {
    state = (state ^ address) * 16777619u;
    return (state ^ value) * 16777619u;
}

static void collect_line(struct record *record, u32 address) {
    u32 *now = (u32 *)address;
    const u32 *before = (const u32 *)original(address);
    for (u32 i = 0; i < 16; i++) {
        if (now[i] == before[i]) continue;
        u32 place = address + i * 4;
        if (record->change_count < LISTED_CHANGES) {
            record->changes[record->change_count].address = place;
            record->changes[record->change_count].value = now[i];
        }
        record->change_count++;
        record->change_hash = hash(record->change_hash, place, now[i]);
        now[i] = before[i];
    }
}

/* 64 bytes at a time: nearly all are as they were. */
static void collect_range(struct record *record, u32 begin, u32 size) {
    for (u32 address = begin; address < begin + size; address += 64) {
        const vector *now = (const vector *)address;
        const vector *before = (const vector *)original(address);
        vector difference = (now[0] ^ before[0]) | (now[1] ^ before[1]) | (now[2] ^ before[2]) | (now[3] ^ before[3]);
        if (difference[0] | difference[1] | difference[2] | difference[3]) collect_line(record, address);
    }
}

static void forget(u32 address, u32 size) {
    for (; size > 0; address++, size--) {
        if (address - DATA_ADDRESS < DATA_SIZE || address - STACK_ADDRESS < STACK_SIZE)
            *(u8 *)address = *original(address);
    }
}

void collect_changes(struct record *record) {
    for (u32 i = 0; i < 2; i++) forget(record->ignore_address[i], record->ignore_size[i]);
    record->change_count = 0;
    record->change_hash = 2166136261u;
    memset(record->changes, 0, sizeof record->changes);
    collect_range(record, DATA_ADDRESS, DATA_SIZE);
    collect_range(record, STACK_ADDRESS, STACK_SIZE);
}
