// Draws of true and false, the same ones as those of jax.random.bernoulli.
#pragma once

#include <cstdint>

#include "xla/ffi/api/ffi.h"

namespace hornbeam::bernoulli {

// drawn[i] = bits(i) >> 9 < limit, where bits(i) is the xor of the two words that Threefry-2x32
// (20 rounds; Salmon et al. 2011) makes of the counter i under that key of two words.
xla::ffi::Error draw(xla::ffi::ThreadPool& pool, const uint32_t* key, uint32_t limit, int64_t size,
                     bool* drawn);

}  // namespace hornbeam::bernoulli
