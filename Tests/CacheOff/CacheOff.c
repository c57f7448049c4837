#include "CacheOff.h"

#include <stdlib.h>

__attribute__((constructor)) static void switchCacheOff(void) {
  setenv("MARTLET_CACHE", "off", 1);
}
