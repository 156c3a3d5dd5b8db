#pragma once

// libjpeg's headers in the order that compiles: they lean on declarations they do not include.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on
