#include "AllocationCounter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__GLIBC__)

// initial-exec: reading the counter must not itself allocate.
static __thread int64_t count __attribute__((tls_model("initial-exec")));
static __thread int64_t cacheLineBytes __attribute__((tls_model("initial-exec")));

// Tensors and scratch start at cache lines, large ones at large pages; little else does.
static void note(size_t alignment, size_t size) {
  count += 1;
  if (alignment == 64 || alignment == 2 << 20) cacheLineBytes += (int64_t)size;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

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
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(alignment, size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  note(alignment, size);
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *memory = __libc_memalign(alignment, size);
  if (memory == NULL) return ENOMEM;
  *result = memory;
  return 0;
}

int64_t allocationsOfThisThread(void) { return count; }
int64_t cacheLineBytesOfThisThread(void) { return cacheLineBytes; }
int allocationsAreCounted(void) { return 1; }

#else

int64_t allocationsOfThisThread(void) { return 0; }
int64_t cacheLineBytesOfThisThread(void) { return 0; }
int allocationsAreCounted(void) { return 0; }

#endif
