// The hand-written loops of convolution and pooling, each on one thread, for float and BFloat16.
//
// They are written once, in relu.inc, first_layer.inc, depthwise.inc and pooling.inc, with vectors
// as wide as the processor's registers. Arrays are dense and channels last. Argument maps hold one
// byte per output: where in its window the maximum was found.
#pragma once

#include <cstdint>

namespace hornbeam::loops {

// In an argument map of conv + relu + max pooling: relu let nothing through.
constexpr uint8_t kDead = 4;

// max(data, 0); NaN stays.
template <typename T>
void relu(int64_t count, T* data);

// dz = dy where y > 0, else 0; sums += dz over the rows. `y` and `dz` come together; they and
// `sums` may be null.
template <typename T>
void mask_and_sum(int64_t rows, int64_t channels, const T* dy, const T* y, T* dz, float* sums);

// y (n, h, w, f) = max over 2 x 2 of relu(z (n, 2h, 2w, f)); `argmax` may be null.
struct Pooled {
  int64_t n, h, w, f;
};
template <typename T>
void relu_pool(const Pooled& p, const T* z, T* y, uint8_t* argmax);

// The reverse: every element of dz is written. sums += dz over all places.
template <typename T>
void relu_unpool(const Pooled& p, const T* dy, const uint8_t* argmax, T* dz, float* sums);

// Convolution of one image with few channels, relu and pooling in one. The image is float32, padded
// where it needs to be, and at least (2h + kh - 1, 2w + kw - 1, c); `offsets` says where each of
// its `taps` products per output lies. Kernel and bias have `stride` columns, a multiple of 16 and
// at least f.
struct FirstLayer {
  int64_t h, w, f;   // of the pooled image
  int64_t pitch, c;  // elements from row to row, and from column to column, of the image
  int64_t taps, stride;
  const int64_t* offsets;
};
// `bounded`: no number of image, kernel and bias is beyond kBound, so that sums are finite.
constexpr float kBound = 1e15f;
template <typename T>
void first_layer(const FirstLayer& layer, bool bounded, const float* image, const float* kernel,
                 const float* bias, T* y, uint8_t* argmax);

// Whether none of the numbers is beyond kBound, or NaN.
bool is_bounded(int64_t count, const float* numbers);

// to = from, as float32.
template <typename T>
void widen_all(int64_t count, const T* from, float* to);

// d_kernel (taps, stride) and d_bias (stride) are added to.
template <typename T>
void first_layer_gradient(const FirstLayer& layer, const float* image, const T* dy,
                          const uint8_t* argmax, float* d_kernel, float* d_bias);

// A convolution of n images in which each channel has a window of its own.
struct Depthwise {
  int64_t n, h, w, c, kh, kw, oh, ow;
  int64_t stride[2], dilation[2], before[2];
};
// d_kernel (kh, kw, c) is added to.
template <typename T>
void add_depthwise_gradient(const Depthwise& shape, const T* x, const T* dy, float* d_kernel);

// Pooling: windows over (h, w), of which rows `begin` to `end` of all images' rows are computed:
// rows of the output, or in gradients of windows that overlap of the input, whole images of them.
struct Window {
  int64_t h, w, c, oh, ow;
  int64_t size[2], stride[2], before[2];
  int64_t begin, end;

  bool overlap() const { return stride[0] < size[0] || stride[1] < size[1]; }
};
// Ties go to the first in row-major order. As in the reference in jax.numpy, NaN wins over what
// follows; the map then names what was largest before it.
template <typename T>
void max_pool(const Window& window, const T* x, T* y, uint8_t* argmax);
template <typename T>
void max_pool_gradient(const Window& window, const T* dy, const uint8_t* argmax, T* dx);
// The mean of what lies within the image.
template <typename T>
void average_pool(const Window& window, const T* x, T* y);
template <typename T>
void average_pool_gradient(const Window& window, const T* dy, T* dx);

}  // namespace hornbeam::loops
