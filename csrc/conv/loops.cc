#include "conv/loops.h"

#include <algorithm>
#include <array>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/divide.h"
#include "core/products.h"

namespace hornbeam::loops {

namespace {
#define FLOATS_ONLY
#define BODY "conv/loops.inc"
#include "core/processors.inc"
}  // namespace

#define PICK(name) pick(avx512::name<T>, avx2::name<T>, base::name<T>)

template <typename T>
void relu(int64_t count, T* data) {
  PICK(relu)(count, data);
}
template <typename T>
void mask_and_sum(int64_t rows, int64_t channels, const T* dy, const T* y, T* dz, float* sums) {
  PICK(mask_and_sum)(rows, channels, dy, y, dz, sums);
}
template <typename T>
void relu_pool(const Pooled& p, const T* z, T* y, uint8_t* argmax) {
  PICK(relu_pool)(p, z, y, argmax);
}
template <typename T>
void relu_unpool(const Pooled& p, const T* dy, const uint8_t* argmax, T* dz, float* sums) {
  PICK(relu_unpool)(p, dy, argmax, dz, sums);
}
template <typename T>
void first_layer(const FirstLayer& layer, bool bounded, const float* image, const float* kernel,
                 const float* bias, T* y, uint8_t* argmax) {
  PICK(first_layer)(layer, bounded, image, kernel, bias, y, argmax);
}
bool is_bounded(int64_t count, const float* numbers) {
  return pick(avx512::is_bounded, avx2::is_bounded, base::is_bounded)(count, numbers);
}
template <typename T>
void widen_all(int64_t count, const T* from, float* to) {
  PICK(widen_all)(count, from, to);
}
template <typename T>
void first_layer_gradient(const FirstLayer& layer, const float* image, const T* dy,
                          const uint8_t* argmax, float* d_kernel, float* d_bias) {
  PICK(first_layer_gradient)(layer, image, dy, argmax, d_kernel, d_bias);
}
template <typename T>
void add_depthwise_gradient(const Depthwise& shape, const T* x, const T* dy, float* d_kernel) {
  PICK(add_depthwise_gradient)(shape, x, dy, d_kernel);
}
template <typename T>
void max_pool(const Window& window, const T* x, T* y, uint8_t* argmax) {
  PICK(max_pool)(window, x, y, argmax);
}
template <typename T>
void max_pool_gradient(const Window& window, const T* dy, const uint8_t* argmax, T* dx) {
  PICK(max_pool_gradient)(window, dy, argmax, dx);
}
template <typename T>
void average_pool(const Window& window, const T* x, T* y) {
  PICK(average_pool)(window, x, y);
}
template <typename T>
void average_pool_gradient(const Window& window, const T* dy, T* dx) {
  PICK(average_pool_gradient)(window, dy, dx);
}

#define INSTANTIATE(T)                                                                             \
  template void relu(int64_t, T*);                                                                 \
  template void mask_and_sum(int64_t, int64_t, const T*, const T*, T*, float*);                    \
  template void relu_pool(const Pooled&, const T*, T*, uint8_t*);                                  \
  template void relu_unpool(const Pooled&, const T*, const uint8_t*, T*, float*);                  \
  template void first_layer(const FirstLayer&, bool, const float*, const float*, const float*, T*, \
                            uint8_t*);                                                             \
  template void widen_all(int64_t, const T*, float*);                                              \
  template void first_layer_gradient(const FirstLayer&, const float*, const T*, const uint8_t*,    \
                                     float*, float*);                                              \
  template void add_depthwise_gradient(const Depthwise&, const T*, const T*, float*);              \
  template void max_pool(const Window&, const T*, T*, uint8_t*);                                   \
  template void max_pool_gradient(const Window&, const T*, const uint8_t*, T*);                    \
  template void average_pool(const Window&, const T*, T*);                                         \
  template void average_pool_gradient(const Window&, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(BFloat16)

}  // namespace hornbeam::loops
