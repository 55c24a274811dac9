// Matrix products in bfloat16 by our own loops, for processors with AVX512_BF16.
//
// Both factors are laid out in strips: sixteen rows of a, or columns of b, side by side, step after
// step along the inner axis. A step is two elements, which one instruction multiplies and adds.
// From two strips of b and up to twelve rows of a comes a tile of c, which is summed in registers.
// Laying out rounds, masks, transposes and sums on the way, and what follows the product is done on
// the tile: nothing needs a pass over memory of its own. By that it is faster than oneDNN, whose
// loops are as good; it keeps float32, and AMX.
#pragma once

#include "core/gemm.h"

namespace hornbeam::tiles {

// Whether products of these types are computed here on this processor.
bool suits(const Types& types);

// As those of gemm.h, for sizes above 0.
xla::ffi::Error gemm(xla::ffi::ThreadPool& pool, const Types& types, const Matrix& a,
                     const Matrix& b, void* c, const Extras& extras);
void multiply(const Types& types, const Matrix& a, const Matrix& b, const Extras& extras, void* c,
              int64_t c_stride);

}  // namespace hornbeam::tiles
