// Convolutions with a 3 x 3 window that moves by ones, in float32, by fewer products: F(2 x 2, 3 x
// 3) of Winograd (Lavin and Gray, arXiv:1509.09308).
//
// Letters as in conv.h; t tiles: 2 x 2 places of y and the 4 x 4 of x that they depend on, which
// overlap. With x and the kernel transformed to 4 x 4, a tile takes 16 products of a channel and a
// filter instead of 36. An output is computed from no other numbers than its own window's, so
// errors are of the size of direct convolution's. What is infinite there may become NaN here:
// functions say whether all they computed is finite, and callers compute the rest directly.
#pragma once

#include "conv/conv.h"

namespace hornbeam::winograd {

using conv::Shape;

// What a convolution, or its input's gradient, reads (h, w, c) and writes (oh, ow, f) of an image.
struct Map {
  int64_t h, w, c, oh, ow, f, top, left;  // the padding above and to the left

  int64_t tiles_down() const { return (oh + 1) / 2; }
  int64_t tiles_across() const { return (ow + 1) / 2; }
  int64_t tiles() const { return tiles_down() * tiles_across(); }
};

// Convolutions of images on the calling thread, whose scratch memory holds the transformed kernel.
// Lives within one slice; one at a time on a thread.
class Convolution {
 public:
  explicit Convolution(const Shape& shape);

  // Whether it can be computed so on this processor, and is faster than directly.
  bool suits_forward() const { return suits_forward_; }
  bool suits_input_gradient() const { return suits_input_; }
  bool suits_weight_gradient() const { return suits_forward_; }

  // As `conv::ImageConv`; false where something is not finite.
  bool forward(int64_t n, const float* x, const float* kernel, const float* bias, float* y);
  // The same with relu and 2 x 2 max pooling; oh and ow are even. `argmax` as in conv.h, may be
  // null.
  bool pool_forward(int64_t n, const float* x, const float* kernel, const float* bias, float* y,
                    uint8_t* argmax);
  bool input_gradient(int64_t n, const float* dy, const float* kernel, float* dx);
  // Nothing is written where it is false.
  bool weight_gradient(int64_t n, const float* x, const float* dy, bool add, float* d_kernel);

 private:
  // The kernel the first time, then null.
  const float* once(const float* kernel);

  Map forward_, backward_;
  bool suits_forward_, suits_input_;
  bool transformed_ = false;
};

}  // namespace hornbeam::winograd
