// zlib: the decompression of data sets.
#pragma once

#include <zlib.h>
