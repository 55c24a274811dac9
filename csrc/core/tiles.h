// Matrix products by our own loops, for processors with AVX-512.
//
// Both factors are laid out in strips: sixteen rows of a, or columns of b, side by side, step after
// step along the inner axis. A step is a float32, or two bfloat16 that one instruction multiplies and
// adds. From two strips of b and up to twelve rows of a strip of a comes a tile of c, which is summed
// in registers. Laying out masks, rounds, transposes and sums on the way, and what follows the product
// is done on the tile: nothing needs a pass over memory of its own.
#pragma once

#include "core/matmul.h"

namespace hornbeam::tiles {

// Whether this processor has what a product of these types takes, and nothing better.
bool suits(const Types& types);

// As those of matmul.h, for sizes above 0.
xla::ffi::Error matmul(xla::ffi::ThreadPool& pool, const Types& types, const Matrix& a,
                       const Matrix& b, void* c, const Extras& extras);
void multiply(const Types& types, const Matrix& a, const Matrix& b, const Extras& extras, void* c,
              int64_t c_stride);

}  // namespace hornbeam::tiles
