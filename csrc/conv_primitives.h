// oneDNN's convolutions of a few images on this thread, with kernels as they come from Python.
#pragma once

#include "conv.h"
#include "core/onednn.h"
#include "winograd.h"

namespace hornbeam::conv {

// Scratch memory of the thread; number 1 is used by `ImageConv`.
constexpr int kScratchKernel = 1, kScratchX = 2, kScratchY = 3, kScratchWinograd = 6;

// Begin to bring memory into the cache, before it is read or written.
inline void fetch(const void* data, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(data) + i);
}

// What a slice does, chunk by chunk. Lives within one slice.
class ImageConv {
 public:
  // The shape of all chunks; its `b` is that of all slices together.
  explicit ImageConv(const Shape& shape) : shape_(shape), winograd_(shape) {}

  // y = conv(x, kernel) + bias (may be null), n images.
  void forward(int64_t n, const void* x, const void* kernel, const void* bias, void* y);
  void input_gradient(int64_t n, const void* dy, const void* kernel, void* dx);
  // d_kernel (float32, as in Python) is set, or added to.
  void weight_gradient(int64_t n, const void* x, const void* dy, bool add, float* d_kernel);

  std::string implementation(int64_t n, int which);

 private:
  enum Which { kForward, kInput, kWeights };

  std::shared_ptr<onednn::Primitive> primitive(Which which, int64_t n, bool bias);
  // The kernel in the order that the primitive wants; kept until another one is wanted.
  const void* ordered(const onednn::Primitive& primitive, const void* kernel);

  Shape shape_;
  winograd::Convolution winograd_;
  dnnl::memory::desc ordered_as_;
  const void* ordered_ = nullptr;
};

}  // namespace hornbeam::conv
