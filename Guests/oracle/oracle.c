/* Takes numbers of cases from standard input, runs them, and gives the numbers back on standard output. */
#include "oracle.h"

enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4 };
enum { HLT = 0xF4, JMP = 0xE9 };

extern char exit_point[];

void *memcpy(void *to, const void *from, u32 count) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    return start;
}

void *memset(void *to, int value, u32 count) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    return start;
}

static void check(u32 index, const struct record *r) {
    if (r->magic != RECORD_MAGIC) refuse(index, "not a case:", r->magic);
    if (r->code_length == 0 || r->code_length > MAXIMUM_CODE) refuse(index, "bad length of code:", r->code_length);
    if (r->code_offset + r->code_length > CODE_SIZE || r->code_offset >= CODE_SIZE)
        refuse(index, "code outside its pages: offset", r->code_offset);
    if (r->eip < CODE_ADDRESS || r->eip >= CODE_ADDRESS + CODE_SIZE) refuse(index, "bad start address:", r->eip);
    for (u32 i = 0; i < 2; i++) {
        if (r->ignore_size[i] > 512) refuse(index, "ignores too much:", r->ignore_size[i]);
    }
    if (r->eflags & 0x100) refuse(index, "would single-step: EFLAGS", r->eflags);
}

/* Code pages hold HLT wherever there is no code. The jump is cut off where the pages end. */
static void run(struct record *r) {
    u8 *code = (u8 *)FILE_ADDRESS + FILE_CODE + r->code_offset;
    u32 length = r->code_length;
    u32 room = CODE_SIZE - r->code_offset - length;
    u32 target = (u32)exit_point - (CODE_ADDRESS + r->code_offset + length + 5);
    u8 jump[5] = {JMP, target, target >> 8, target >> 16, target >> 24};
    u32 jump_length = room < sizeof jump ? room : sizeof jump;
    memcpy(code, r->code, length);
    memcpy(code + length, jump, jump_length);
    r->error_code = 0;
    r->cr2 = 0;
    runs++;
    current = r;
    run_record(r);
    current = 0;
    memset(code, HLT, length + jump_length);
    collect_changes(r);
}

static void transfer(int call, int file, u32 *token, u32 size) {
    for (u32 done = 0; done < size;) {
        int count = system_call(call, file, (u32)token + done, size - done, 0, 0, 0);
        if (count == -4 /* EINTR */) continue;
        if (count == 0 && done == 0) system_call(SYS_EXIT, 0, 0, 0, 0, 0, 0);
        if (count <= 0) fail("the other side went away");
        done += count;
    }
}

void oracle_main(void) {
    u32 count = map_case_file();
    memset((u8 *)FILE_ADDRESS + FILE_CODE, HLT, CODE_SIZE);
    fill_windows();
    install_handlers();
    confine();
    struct record *records = (struct record *)(FILE_ADDRESS + FILE_RECORDS);
    struct header *header = (struct header *)FILE_ADDRESS;
    for (;;) {
        header->running = NOTHING_RUNS;
        u32 token[2]; /* first record, number of records */
        transfer(SYS_READ, 0, token, sizeof token);
        if (token[0] > count || token[1] > count - token[0]) refuse(token[0], "no such cases, count", token[1]);
        for (u32 index = token[0]; index < token[0] + token[1]; index++) {
            check(index, &records[index]);
            header->running = index;
            header->begun++;
            run(&records[index]);
        }
        transfer(SYS_WRITE, 1, token, sizeof token);
    }
}
