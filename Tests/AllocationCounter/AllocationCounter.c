#include "AllocationCounter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__GLIBC__)

// initial-exec: reading the counter must not itself allocate.
static __thread int64_t count __attribute__((tls_model("initial-exec")));
static __thread int64_t cacheLineBytes __attribute__((tls_model("initial-exec")));

// The pieces that are watched, and not freed yet.
enum { mostPieces = 1024 };
static __thread int watches __attribute__((tls_model("initial-exec")));
static __thread int pieceCount __attribute__((tls_model("initial-exec")));
static __thread int64_t live __attribute__((tls_model("initial-exec")));
static __thread int64_t peak __attribute__((tls_model("initial-exec")));
static __thread struct {
  void *memory;
  size_t size;
} pieces[mostPieces] __attribute__((tls_model("initial-exec")));

static void *watch(void *memory, size_t alignment, size_t size) {
  if (!watches || memory == NULL || (alignment != 64 && alignment != 2 << 20)) return memory;
  // More than there is room for is no peak that a test could expect.
  if (pieceCount == mostPieces) {
    live = INT64_MAX / 2;
  } else {
    pieces[pieceCount].memory = memory;
    pieces[pieceCount++].size = size;
    live += (int64_t)size;
  }
  if (live > peak) peak = live;
  return memory;
}

// Tensors and scratch start at cache lines, large ones at large pages; little else does.
static void note(size_t alignment, size_t size) {
  count += 1;
  if (alignment == 64 || alignment == 2 << 20) cacheLineBytes += (int64_t)size;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

void free(void *memory) {
  for (int place = 0; watches && place < pieceCount; place++) {
    if (pieces[place].memory != memory) continue;
    live -= (int64_t)pieces[place].size;
    pieces[place] = pieces[--pieceCount];
    break;
  }
  __libc_free(memory);
}

void *malloc(size_t size) {
  count += 1;
  return __libc_malloc(size);
}

void *calloc(size_t elements, size_t size) {
  count += 1;
  return __libc_calloc(elements, size);
}

void *realloc(void *memory, size_t size) {
  count += 1;
  return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  note(alignment, size);
  return watch(__libc_memalign(alignment, size), alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(alignment, size);
  return watch(__libc_memalign(alignment, size), alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  note(alignment, size);
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *memory = __libc_memalign(alignment, size);
  if (memory == NULL) return ENOMEM;
  *result = watch(memory, alignment, size);
  return 0;
}

int64_t allocationsOfThisThread(void) { return count; }
int64_t cacheLineBytesOfThisThread(void) { return cacheLineBytes; }
void watchCacheLineBytesOfThisThread(void) {
  pieceCount = 0;
  live = peak = 0;
  watches = 1;
}
int64_t peakCacheLineBytesOfThisThread(void) {
  watches = 0;
  return peak;
}
int allocationsAreCounted(void) { return 1; }

#else

int64_t allocationsOfThisThread(void) { return 0; }
int64_t cacheLineBytesOfThisThread(void) { return 0; }
void watchCacheLineBytesOfThisThread(void) {}
int64_t peakCacheLineBytesOfThisThread(void) { return 0; }
int allocationsAreCounted(void) { return 0; }

#endif
