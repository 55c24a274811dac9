// Products that skip the zeros of a factor.
//
// Behind a relu half of all elements are 0 or more, behind dropout more still, and so are those of
// the gradient that comes back; pictures have black margins. Each row of such a factor is written
// down as a list of what is not 0, and a row of the product is the sum of those rows of the other
// factor that the list names. These lie packed in the level 1 cache, some registers of columns
// wide: a number of the list is worth as many multiplications.
//
// What is left out is 0 times a finite number: beside NaN and infinity nothing is left out, and the
// product is what the definition gives.
#pragma once

#include "core/gemm.h"

namespace hornbeam::zeros {

// The factor of a product whose zeros are skipped.
enum class Factor { kNone, kLeft, kRight };

// The one for which it pays, judged by a sample of the elements and by how the work would be
// divided.
Factor worth_skipping(const xla::ffi::ThreadPool& pool, const Types& types, const Matrix& a,
                      const Matrix& b, const Extras& extras);

// As that of gemm.h, for matrices without masks and with sizes above 0; `extras.b_sums` is not
// looked at. Beside a float32 b in a product of bfloat16 the left factor is the one that is
// skipped.
xla::ffi::Error gemm(xla::ffi::ThreadPool& pool, Factor skipped, const Types& types,
                     const Matrix& a, const Matrix& b, void* c, const Extras& extras);

}  // namespace hornbeam::zeros
