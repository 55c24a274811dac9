// The kernel's gradient in bfloat16, by the processor's own products of pairs (AVX512-BF16).
//
// oneDNN 3.2 reaches two thirds of the peak there, because it transposes both arrays; see
// weights.cc.
#pragma once

#include "conv/conv.h"
#include "core/bfloat16.h"

namespace hornbeam::conv {

// Whether this processor and shape are among those that `add_weight_gradient` computes.
bool has_weight_gradient(const Shape& shape);

// Adds to d_kernel (kh, kw, c, f) what n images give, on the calling thread.
void add_weight_gradient(const Shape& shape, int64_t n, const BFloat16* x, const BFloat16* dy,
                         float* d_kernel);

}  // namespace hornbeam::conv
