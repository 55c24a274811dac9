#include "conv/conv.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include "conv/chunks.h"
#include "conv/loops.h"
#include "conv/primitives.h"
#include "core/bfloat16.h"
#include "core/divide.h"
#include "core/parallel.h"

namespace hornbeam::conv {
namespace {

namespace ffi = xla::ffi;

// Gradients of the parameters, one set per slice, summed in the order of the slices.
class Sums {
 public:
  Sums(int64_t slices, int64_t size)
      : slices_(slices), size_(size), data_(new float[slices * size]) {}

  float* of(int64_t slice) { return data_.get() + slice * size_; }

  [[nodiscard]] ffi::Error write(ffi::ThreadPool& pool, Type type, void* to) const {
    // Large ones are limited by memory, where one element costs as much as many operations.
    const int64_t parts = slice_count(pool, 16 * slices_ * size_);
    return parallel_for(pool, parts, [&](int64_t part) {
      const int64_t begin = slice_begin(part, parts, size_, 16);
      const int64_t end = slice_begin(part + 1, parts, size_, 16);
      typed(type, [&](auto* kind) {
        auto* out = static_cast<decltype(kind)>(to);
        for (int64_t i = begin; i < end; ++i) {
          float sum = data_[i];
          for (int64_t slice = 1; slice < slices_; ++slice) sum += data_[slice * size_ + i];
          narrow(sum, out + i);
        }
      });
    });
  }

 private:
  int64_t slices_, size_;
  std::unique_ptr<float[]> data_;
};

bool nothing(const Shape& s) { return s.b == 0; }

ffi::Error zero_gradients(const Shape& s, void* d_kernel, void* d_bias) {
  std::memset(d_kernel, 0, s.kernel_size() * size_of(s.type));
  if (d_bias) std::memset(d_bias, 0, s.f * size_of(s.type));
  return ffi::Error::Success();
}

// dz of a chunk into scratch memory, or dy itself; bias gradients onto `sums` (may be null).
using Prepare = std::function<const void*(int64_t begin, int64_t count, float* sums)>;

ffi::Error input_gradient_of(ffi::ThreadPool& pool, const Plan& plan, const Prepare& prepare,
                             const void* kernel, void* dx) {
  const Shape& s = plan.shape;
  const int64_t slices = slices_of(pool, s);
  Queue queue(s, slices);
  return parallel_for(pool, slices, [&](int64_t slice) {
    ImageConv conv(plan);
    queue.work(slice, [&](int64_t begin, int64_t count) {
      const void* dz = prepare(begin, count, nullptr);
      conv.input_gradient(count, dz, kernel, at(dx, begin * plan.view.whole_size(), s.type));
    });
  });
}

ffi::Error weight_gradient_of(ffi::ThreadPool& pool, const Plan& plan, const Prepare& prepare,
                              const void* x, void* d_kernel, void* d_bias) {
  const Shape& s = plan.shape;
  const int64_t slices = slices_of(pool, s);
  Sums kernels(slices, s.kernel_size()), biases(d_bias ? slices : 0, s.f);
  ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
    ImageConv conv(plan);
    bool add = false;
    if (d_bias) std::fill_n(biases.of(slice), s.f, 0.0f);
    for_chunks(s, slice, slices, [&](int64_t begin, int64_t count) {
      const void* dz = prepare(begin, count, d_bias ? biases.of(slice) : nullptr);
      conv.weight_gradient(count, at(x, begin * plan.view.whole_size(), s.type), dz, add,
                           kernels.of(slice));
      add = true;
    });
  });
  if (error.success()) error = kernels.write(pool, s.type, d_kernel);
  if (error.success() && d_bias) error = biases.write(pool, s.type, d_bias);
  return error;
}

Prepare masked(const Shape& s, const void* dy, const void* y) {
  return [=](int64_t begin, int64_t count, float* sums) -> const void* {
    const int64_t rows = count * s.oh * s.ow, from = begin * s.oh * s.ow * s.f;
    const void* own = at(dy, from, s.type);
    if (!y && !sums) return own;
    void* dz = y ? onednn::scratch(kScratchY, rows * s.f * size_of(s.type)) : nullptr;
    typed(s.type, [&](auto* kind) {
      using T = std::remove_pointer_t<decltype(kind)>;
      const void* own_y = y ? at(y, from, s.type) : nullptr;
      loops::mask_and_sum(rows, s.f, static_cast<const T*>(own), static_cast<const T*>(own_y),
                          static_cast<T*>(dz), sums);
    });
    return y ? dz : own;
  };
}

// ---------------------------------------------------------------------------- relu and pooling

Prepare unpooled(const Shape& s, const void* dy, const uint8_t* argmax) {
  return [=](int64_t begin, int64_t count, float* sums) -> const void* {
    const int64_t from = begin * (s.oh / 2) * (s.ow / 2) * s.f;
    void* dz = onednn::scratch(kScratchY, count * s.oh * s.ow * s.f * size_of(s.type));
    typed(s.type, [&](auto* kind) {
      using T = std::remove_pointer_t<decltype(kind)>;
      loops::relu_unpool(pooled(s, count), static_cast<const T*>(dy) + from, argmax + from,
                         static_cast<T*>(dz), sums);
    });
    return dz;
  };
}

// Few channels and a small window: our own loops, which never write what is between the convolution
// and the pooling.
bool is_first_layer(const Shape& s) {
  return s.groups == 1 && s.c <= 4 && s.kh * s.kw <= 49 && s.stride == Pair{1, 1} &&
         s.dilation == Pair{1, 1};
}

// What first_layer and its gradient need of one thread.
template <typename T>
class FirstLayer {
 public:
  explicit FirstLayer(const Shape& s) : s_(s), rows_(s.oh + s.kh - 1), columns_(s.ow + s.kw - 1) {
    in_place_ =
        std::is_same_v<T, float> && s.before == Pair{0, 0} && rows_ <= s.h && columns_ <= s.w;
    if (in_place_) columns_ = s.w;
    for (int64_t i = 0; i < s.kh; ++i) {
      for (int64_t j = 0; j < s.kw * s.c; ++j) offsets_.push_back(i * columns_ * s.c + j);
    }
    layer = {s.oh / 2,
             s.ow / 2,
             s.f,
             columns_ * s.c,
             s.c,
             static_cast<int64_t>(offsets_.size()),
             round_up(s.f, 16),
             offsets_.data()};
    if (!in_place_) image_.resize(size());
  }

  // Numbers of an image from the first to the last row that is read.
  int64_t size() const { return rows_ * columns_ * s_.c; }

  // The image widened, with its padding around it; the very array where neither is to be done.
  const float* image(const T* x) {
    if constexpr (std::is_same_v<T, float>) {
      if (in_place_) return x;
    }
    const int64_t first = s_.before[1], last = std::min(columns_, s_.w + first);
    for (int64_t row = 0; row < rows_; ++row) {
      const int64_t from = row - s_.before[0];
      if (from < 0 || from >= s_.h) continue;  // stays 0
      loops::widen_all((last - first) * s_.c, x + from * s_.w * s_.c,
                       image_.data() + (row * columns_ + first) * s_.c);
    }
    return image_.data();
  }

  // (rows, f), widened, with zeros up to the layer's stride.
  std::vector<float> padded(int64_t rows, const T* from) const {
    std::vector<float> to(rows * layer.stride);
    for (int64_t i = 0; from && i < rows * s_.f; ++i) {
      to[i / s_.f * layer.stride + i % s_.f] = widen(from[i]);
    }
    return to;
  }

  loops::FirstLayer layer;

 private:
  Shape s_;
  int64_t rows_, columns_;  // of the image, as far as it is read
  bool in_place_;
  std::vector<int64_t> offsets_;
  std::vector<float> image_;
};

template <typename T>
ffi::Error first_forward(ffi::ThreadPool& pool, const Shape& s, const void* x, const void* kernel,
                         const void* bias, void* y, uint8_t* argmax) {
  const int64_t slices = slices_of(pool, s), size = s.oh / 2 * (s.ow / 2) * s.f;
  Queue queue(s, slices);
  return parallel_for(pool, slices, [&](int64_t slice) {
    FirstLayer<T> own(s);
    const auto weights = own.padded(own.layer.taps, static_cast<const T*>(kernel));
    const auto start = own.padded(1, static_cast<const T*>(bias));
    const bool all_bounded = loops::is_bounded(weights.size(), weights.data()) &&
                             loops::is_bounded(start.size(), start.data());
    queue.work(slice, [&](int64_t begin, int64_t count) {
      for (int64_t i = begin; i < begin + count; ++i) {
        const float* image = own.image(static_cast<const T*>(x) + i * s.h * s.w * s.c);
        const bool bounded = all_bounded && loops::is_bounded(own.size(), image);
        loops::first_layer(own.layer, bounded, image, weights.data(), start.data(),
                           static_cast<T*>(y) + i * size, argmax ? argmax + i * size : nullptr);
      }
    });
  });
}

template <typename T>
ffi::Error first_weight_gradient(ffi::ThreadPool& pool, const Shape& s, const void* x,
                                 const void* dy, const uint8_t* argmax, void* d_kernel,
                                 void* d_bias) {
  const int64_t slices = slices_of(pool, s), size = s.oh / 2 * (s.ow / 2) * s.f;
  const int64_t taps = s.kh * s.kw * s.c, stride = round_up(s.f, 16);
  // Per slice the kernel's gradient, then the bias's.
  std::vector<float> sums(slices * (taps + 1) * stride);
  ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
    FirstLayer<T> own(s);
    float* kernel = sums.data() + slice * (taps + 1) * stride;
    const int64_t end = slice_begin(slice + 1, slices, s.b, 1);
    for (int64_t i = slice_begin(slice, slices, s.b, 1); i < end; ++i) {
      const float* image = own.image(static_cast<const T*>(x) + i * s.h * s.w * s.c);
      loops::first_layer_gradient(own.layer, image, static_cast<const T*>(dy) + i * size,
                                  argmax + i * size, kernel, kernel + taps * stride);
    }
  });
  if (error.failure()) return error;
  for (int64_t row = 0; row <= taps; ++row) {
    T* to = row < taps ? static_cast<T*>(d_kernel) + row * s.f : static_cast<T*>(d_bias);
    for (int64_t i = 0; i < s.f; ++i) {
      float sum = 0;
      for (int64_t slice = 0; slice < slices; ++slice) {
        sum += sums[(slice * (taps + 1) + row) * stride + i];
      }
      narrow(sum, to + i);
    }
  }
  return error;
}

}  // namespace

int64_t output_size(int64_t size, int64_t window, int64_t stride, int64_t dilation, int64_t before,
                    int64_t after) {
  const int64_t room = size + before + after - (window - 1) * dilation - 1;
  return room < 0 ? 0 : room / stride + 1;
}

ffi::Error forward(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* kernel,
                   const void* bias, bool relu, void* y) {
  if (nothing(shape)) return ffi::Error::Success();
  return guarded([&] {
    const Plan p = plan(shape, false);
    const Shape& s = p.shape;
    const int64_t slices = slices_of(pool, s);
    Queue queue(s, slices);
    return parallel_for(pool, slices, [&](int64_t slice) {
      ImageConv conv(p);
      queue.work(slice, [&](int64_t begin, int64_t count) {
        const int64_t size = s.oh * s.ow * s.f;
        void* out = at(y, begin * size, s.type);
        conv.forward(count, at(x, begin * p.view.whole_size(), s.type), kernel, bias, out);
        if (!relu) return;
        typed(s.type,
              [&](auto* kind) { loops::relu(count * size, static_cast<decltype(kind)>(out)); });
      });
    });
  });
}

ffi::Error input_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                          const void* kernel, const void* y, void* dx) {
  if (nothing(shape)) return ffi::Error::Success();
  return guarded([&] {
    const Plan p = plan(shape, false);
    return input_gradient_of(pool, p, masked(p.shape, dy, y), kernel, dx);
  });
}

ffi::Error weight_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* dy,
                           const void* y, void* d_kernel, void* d_bias) {
  if (nothing(shape)) return zero_gradients(shape, d_kernel, d_bias);
  return guarded([&] {
    const Plan p = plan(shape, false);
    return weight_gradient_of(pool, p, masked(p.shape, dy, y), x, d_kernel, d_bias);
  });
}

ffi::Error pool_forward(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                        const void* kernel, const void* bias, void* y, uint8_t* argmax) {
  if (nothing(shape)) return ffi::Error::Success();
  return guarded([&] {
    const Plan p = plan(shape, true);
    const Shape& s = p.shape;
    if (is_first_layer(s)) {
      Shape own = s;
      own.h = shape.h, own.w = shape.w;  // it reads x itself
      return s.type == Type::kFloat32
                 ? first_forward<float>(pool, own, x, kernel, bias, y, argmax)
                 : first_forward<BFloat16>(pool, own, x, kernel, bias, y, argmax);
    }
    const int64_t slices = slices_of(pool, s);
    Queue queue(s, slices);
    return parallel_for(pool, slices, [&](int64_t slice) {
      ImageConv conv(p);
      queue.work(slice, [&](int64_t begin, int64_t count) {
        const int64_t to = begin * (s.oh / 2) * (s.ow / 2) * s.f;
        conv.pool_forward(count, at(x, begin * p.view.whole_size(), s.type), kernel, bias,
                          at(y, to, s.type), argmax ? argmax + to : nullptr);
      });
    });
  });
}

ffi::Error pool_input_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                               const uint8_t* argmax, const void* kernel, void* dx) {
  if (nothing(shape)) return ffi::Error::Success();
  return guarded([&] {
    const Plan p = plan(shape, true);
    return input_gradient_of(pool, p, unpooled(p.shape, dy, argmax), kernel, dx);
  });
}

ffi::Error pool_weight_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                                const void* dy, const uint8_t* argmax, void* d_kernel,
                                void* d_bias) {
  if (nothing(shape)) return zero_gradients(shape, d_kernel, d_bias);
  return guarded([&] {
    const Plan p = plan(shape, true);
    const Shape& s = p.shape;
    if (is_first_layer(s)) {
      Shape own = s;
      own.h = shape.h, own.w = shape.w;
      return s.type == Type::kFloat32
                 ? first_weight_gradient<float>(pool, own, x, dy, argmax, d_kernel, d_bias)
                 : first_weight_gradient<BFloat16>(pool, own, x, dy, argmax, d_kernel, d_bias);
    }
    return weight_gradient_of(pool, p, unpooled(s, dy, argmax), x, d_kernel, d_bias);
  });
}

std::array<std::string, 3> implementations(const Shape& shape) {
  ImageConv conv(plan(shape, false));
  return {conv.implementation(shape.b, 0), conv.implementation(shape.b, 1),
          conv.implementation(shape.b, 2)};
}

}  // namespace hornbeam::conv
