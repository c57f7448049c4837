// Counts the allocations of the calling thread, by standing in front of the C library's allocator.
#pragma once

#include <stdint.h>

/// The number of allocations that this thread has made so far.
int64_t allocationsOfThisThread(void);

/// The bytes that this thread has asked for at the alignment of a cache line (64).
int64_t cacheLineBytesOfThisThread(void);

/// Starts to follow which of these bytes are not freed again.
void watchCacheLineBytesOfThisThread(void);

/// The most of the bytes asked for since then that this thread had not freed at one time; ends the watch.
int64_t peakCacheLineBytesOfThisThread(void);

/// Whether allocations are seen at all: not where the C library is another one than glibc.
int allocationsAreCounted(void);
