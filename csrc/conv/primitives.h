// Convolutions of a few images on this thread, with kernels as they come from Python: oneDNN's, or
// our own where they are faster.
#pragma once

#include "conv/loops.h"
#include "conv/plan.h"
#include "conv/winograd.h"
#include "core/onednn.h"

namespace hornbeam::conv {

// Scratch memory of the thread; number 3 is also what conv.cc prepares for `ImageConv`'s gradients.
constexpr int kScratchKernel = 1, kScratchX = 2, kScratchY = 3, kScratchWinograd = 6;

// Begin to bring memory into the cache, before it is read or written.
inline void fetch(const void* data, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(data) + i);
}

// What 2 x 2 pooling makes of the outputs of n images.
inline loops::Pooled pooled(const Shape& s, int64_t n) { return {n, s.oh / 2, s.ow / 2, s.f}; }

// What a slice does, chunk by chunk: n whole images each. Lives within one slice.
class ImageConv {
 public:
  // The plan of all slices together.
  explicit ImageConv(const Plan& plan);
  ImageConv(const ImageConv&) = delete;  // `shape_` is part of `plan_`

  // y = conv(x, kernel) + bias (may be null).
  void forward(int64_t n, const void* x, const void* kernel, const void* bias, void* y);
  // y and argmax as `pool_forward` in conv.h; the plan is of such a one.
  void pool_forward(int64_t n, const void* x, const void* kernel, const void* bias, void* y,
                    uint8_t* argmax);
  void input_gradient(int64_t n, const void* dy, const void* kernel, void* dx);
  // d_kernel (float32, as in Python) is set, or added to.
  void weight_gradient(int64_t n, const void* x, const void* dy, bool add, float* d_kernel);

  std::string implementation(int64_t n, int which);

 private:
  void direct_forward(int64_t n, const void* x, const void* kernel, const void* bias, void* y);

  enum Which { kForward, kInput, kWeights };

  std::shared_ptr<onednn::Primitive> primitive(Which which, int64_t n, bool bias);
  // The kernel in the order that the primitive wants; kept until another one is wanted.
  const void* ordered(const onednn::Primitive& primitive, const void* kernel);

  // The part of n images that is read: x itself, or a copy in scratch memory.
  const void* part_of(int64_t n, const void* x) const;

  Plan plan_;
  const Shape& shape_ = plan_.shape;
  winograd::Convolution winograd_;
  dnnl::memory::desc ordered_as_;
  const void* ordered_ = nullptr;
};

}  // namespace hornbeam::conv
