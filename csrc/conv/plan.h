// What is computed of a convolution, and the part of x that it reads.
#pragma once

#include "conv/conv.h"
#include "core/bfloat16.h"

namespace hornbeam::conv {

// Calls f with a null pointer of the type's own kind, so that one lambda is made for both.
template <typename F>
void typed(Type type, const F& f) {
  if (type == Type::kFloat32) {
    f(static_cast<float*>(nullptr));
  } else {
    f(static_cast<BFloat16*>(nullptr));
  }
}

// A part of an image as one of its own: every `step`th row and column, up to the last one that any
// window reaches.
struct View {
  int64_t h, w;  // of the whole image
  int64_t rows, columns, c;
  Pair step;

  bool whole() const { return rows == h && columns == w; }
  int64_t size() const { return rows * columns * c; }
  int64_t whole_size() const { return h * w * c; }

  // Copy the part out of n images, or back into them; what is not part of it becomes 0.
  void gather(Type type, int64_t n, const void* x, void* part) const;
  void scatter(Type type, int64_t n, const void* part, void* x) const;

 private:
  void copy(Type type, int64_t n, void* x, void* part, bool back) const;
};

struct Plan {
  Shape shape;  // h and w are those of the part
  View view;
};

// pooled: an odd output loses its last row or column. A 1 x 1 convolution with strides becomes one
// without, because oneDNN's own is slow in gradients and wrong in places
// (uxlfoundation/oneDNN#6035).
Plan plan(const Shape& shape, bool pooled);

}  // namespace hornbeam::conv
