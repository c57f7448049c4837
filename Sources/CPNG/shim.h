// libpng: pictures read and written, through its simplified API (`png_image`).
#pragma once

#include <png.h>
