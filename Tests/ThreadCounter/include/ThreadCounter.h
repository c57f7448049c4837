// Counts the threads that the calling thread starts, by standing in front of the C library's function.
#pragma once

#include <stdint.h>

/// The number of threads that this thread has started so far.
int64_t threadsStartedByThisThread(void);

/// Whether threads are seen at all: not where the C library is another one than glibc.
int threadsAreCounted(void);
