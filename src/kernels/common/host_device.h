#pragma once

// What both the processor and a GPU can run.
#ifdef __CUDACC__
#define TAGCLIP_HOST_DEVICE __host__ __device__
#else
#define TAGCLIP_HOST_DEVICE
#endif
