/* What Glibc's Swift module does not import: each as a static inline function, so that no C is compiled on its own. */
#ifndef RING3_CHOST_H
#define RING3_CHOST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <time.h>
#include <sys/mman.h>
#include <unistd.h>
#include <sys/syscall.h>

/* An anonymous file in memory; -1 and errno on failure. */
static inline int ring3_memfd_create(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */);
}

/* A pipe that other processes started meanwhile do not get; -1 and errno on failure. */
static inline int ring3_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

#if defined(__linux__)
#include <signal.h>

/* A timer by the monotonic clock that from now on sends a signal to the calling thread, and to no other, whenever so many
 * nanoseconds, less than a second, have passed; -1 and errno on failure. A timer may be any number, 0 among them. */
static inline int ring3_timer_start(uintptr_t *timer, int signal, long nanoseconds) {
    timer_t created;
    struct sigevent event = {0};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal;
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &created) != 0) return -1;
    *timer = (uintptr_t)created;
    struct itimerspec interval = {{0, nanoseconds}, {0, nanoseconds}};
    return timer_settime(created, 0, &interval, 0);
}

static inline void ring3_timer_end(uintptr_t timer) { timer_delete((timer_t)timer); }
#endif

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/auxv.h>

/* Whether programs may load the base of GS (the kernel says so), and the processor has BMI2. */
static inline int ring3_has_native_features(void) {
    unsigned a, b, c, d;
    if (!(getauxval(AT_HWCAP2) & 2)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 8 & 1);
}

/* Whether the timestamp counter goes at one speed, whatever the processor does (SDM 3B 17.17.1). */
static inline int ring3_has_invariant_timestamp(void) {
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d >> 8 & 1);
}

/* Whether LOOP takes as long as any other branch. It does on AMD's processors; on Intel's it is seven micro-operations. */
static inline int ring3_has_fast_loop(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(0, &a, &b, &c, &d)) return 0;
    /* "AuthenticAMD", "HygonGenuine": by their last four letters. */
    return c == 0x444D4163u || c == 0x656E6975u;
}

static inline uint64_t ring3_timestamp(void) { return __builtin_ia32_rdtsc(); }
#endif

#include "sse.h"
#include "x87.h"

/* poll with a timeout in nanoseconds; see ppoll(2). */
static inline int ring3_ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout) {
    return ppoll(descriptors, count, timeout, 0);
}

#endif
