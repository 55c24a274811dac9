#include "conv/winograd.h"

#include <algorithm>
#include <utility>

#include "conv/loops.h"
#include "conv/primitives.h"
#include "core/arena.h"
#include "core/cpu.h"
#include "core/divide.h"
#include "core/parallel.h"
#include "core/products.h"

namespace hornbeam::winograd {
namespace {

// Tiles and their products in the level 2 cache, beside a small kernel. A larger one is read again
// for each block of tiles, which pays with more of them.
constexpr int64_t kBlockBytes = 256 * 1024;
constexpr int64_t kKernelsPerBlock = 4;

constexpr int64_t kMostLanes = 16;

constexpr int64_t kTileGrain = 4;  // the rows of the widest tile of products

// Memory that is wanted soon.
struct Soon {
  const float *begin, *end;
};

#define FLOATS_ONLY
#define BODY "conv/winograd.inc"
#include "core/processors.inc"
#undef BODY

// Whether it takes so many fewer products than directly that the transforms pay. That of the kernel
// costs as much as the products of some tiles: of more where it does not fit the cache. Measured on
// AVX-512, one core, against oneDNN's direct convolutions: 1.5 to 1.9 times as fast at 32 x 32 x 16
// to 14 x 14 x 512, the same at 7 x 7 x 512, batch 8.
bool pays(const Shape& s, const Map& m) {
  const int64_t kernel_tiles = m.c * m.f > 16384 ? 32 : 8;
  const int64_t direct = 9 * s.oh * s.ow * s.b, own = 16 * (m.tiles() * s.b + kernel_tiles);
  return 100 * direct >= 115 * own;
}

bool suits(const Shape& s, const Map& m) {
  const conv::Pair ones = {1, 1};
  return cpu().avx2 && s.type == Type::kFloat32 && s.groups == 1 && s.kh == 3 && s.kw == 3 &&
         s.stride == ones && s.dilation == ones && m.c >= kMostLanes && m.f >= kMostLanes &&
         m.top >= 0 && m.left >= 0 && pays(s, m);
}

// A power of two between matrices would put their rows in the same few places of a cache.
int64_t apart(int64_t size) { return round_up(size, 16) + 16; }

// The arrays of one thread, at the same places whatever the number of images.
struct Arrays {
  int64_t tiles, v_pitch, u_pitch, m_pitch;
  float *zeros, *u, *taps, *v, *m;
};

Arrays arrays(const Map& map) {
  const int64_t width = round_up(map.f, kMostLanes), floats = 16 * sizeof(float);  // of 16 matrices
  const int64_t bytes = std::max(kBlockBytes, floats * map.c * width / kKernelsPerBlock);
  Arrays a;
  a.tiles = round_up(bytes / (floats * (map.c + width)), 16);
  a.v_pitch = apart(a.tiles * map.c);
  a.u_pitch = apart(map.c * width);
  a.m_pitch = apart(a.tiles * width);
  const auto lay = [&](Arena arena) {
    a.zeros = arena.take<float>(map.c);
    a.u = arena.take<float>(16 * a.u_pitch);
    a.taps = arena.take<float>(9 * map.c * kMostLanes);
    a.v = arena.take<float>(16 * a.v_pitch);
    a.m = arena.take<float>(16 * a.m_pitch);
    return arena.bytes();
  };
  lay(Arena(onednn::scratch(conv::kScratchWinograd, lay(Arena()))));
  std::fill_n(a.zeros, map.c, 0.0f);
  return a;
}

// Images of h rows, of which so many belong to a row of tiles.
struct Images {
  const float* data;
  int64_t h, row_size, rows_per_tile;

  // What belongs to tiles [begin, end), as far as there are `tiles`, by whole rows.
  Soon of(const Map& map, int64_t begin, int64_t end, int64_t tiles) const {
    const auto at = [&](int64_t tile) {
      const int64_t row = tile % map.tiles() / map.tiles_across() * rows_per_tile;
      return data + (tile / map.tiles() * h + std::min(row, h)) * row_size;
    };
    return {at(std::min(begin, tiles)), at(std::min(end, tiles))};
  }
};

Images inputs(const Map& map, const float* x) { return {x, map.h, map.w * map.c, 2}; }
Images outputs(const Map& map, const float* y) { return {y, map.oh, map.ow * map.f, 2}; }
Images pooled_outputs(const Map& map, const float* y) {
  return {y, map.oh / 2, map.ow / 2 * map.f, 1};
}

// The functions of one kind of processor.
struct Steps {
  decltype(&base::transform_inputs) inputs;
  decltype(&base::transform_outputs) outputs;
  decltype(&base::pool_outputs) pool_outputs;
  decltype(&base::transform_slopes) slopes;
  decltype(&base::transform_kernel) kernel;
  decltype(&base::kernel_gradient) kernel_gradient;
  decltype(&base::products) products;
  int64_t lanes;
};

#define STEPS(processor, lanes)                               \
  {processor::transform_inputs, processor::transform_outputs, \
   processor::pool_outputs,     processor::transform_slopes,  \
   processor::transform_kernel, processor::kernel_gradient,   \
   processor::products,         lanes}

const Steps& steps() {
  static const Steps avx512 = STEPS(avx512, 16), avx2 = STEPS(avx2, 8);
  return cpu().avx512 ? avx512 : avx2;
}

// finish(arrays, begin, count) makes of the products of some tiles what is asked for, which lies in
// `results`, and says whether that is finite. The kernel is null where it is transformed already.
template <typename Finish>
bool convolve(const Map& map, int64_t n, const float* x, const float* kernel, bool turned,
              const Images& results, const Finish& finish) {
  const Arrays a = arrays(map);
  const Steps& run = steps();
  if (kernel) run.kernel(map, kernel, turned, a.taps, a.u, a.u_pitch);
  const int64_t tiles = n * map.tiles();
  const Images xs = inputs(map, x);
  bool finite = true;
  for_parts(tiles, a.tiles, kTileGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    run.inputs(map, x, begin, count, a.zeros, a.v, a.v_pitch);
    run.products({a.v, count, map.c, 1}, a.v_pitch, map.c, a.u, a.u_pitch, map.f,
                 {a.m, round_up(map.f, run.lanes), false}, a.m_pitch,
                 {xs.of(map, end, end + count, tiles), results.of(map, begin, end, tiles)});
    finite &= finish(a, begin, count);
  });
  return finite;
}

}  // namespace

// The gradient of x is a convolution of dy with the kernel turned around.
Convolution::Convolution(const Shape& s)
    : forward_{s.h, s.w, s.c, s.oh, s.ow, s.f, s.before[0], s.before[1]},
      backward_{s.oh, s.ow, s.f, s.h, s.w, s.c, 2 - s.before[0], 2 - s.before[1]},
      suits_forward_(suits(s, forward_)),
      suits_input_(suits(s, backward_)) {}

const float* Convolution::once(const float* kernel) {
  return std::exchange(transformed_, true) ? nullptr : kernel;
}

bool Convolution::forward(int64_t n, const float* x, const float* kernel, const float* bias,
                          float* y) {
  const Map& map = forward_;
  return convolve(map, n, x, once(kernel), false, outputs(map, y),
                  [&](const Arrays& a, int64_t begin, int64_t count) {
                    return steps().outputs(map, a.m, a.m_pitch, begin, count, bias, y);
                  });
}

bool Convolution::pool_forward(int64_t n, const float* x, const float* kernel, const float* bias,
                               float* y, uint8_t* argmax) {
  const Map& map = forward_;
  const Images results = pooled_outputs(map, y);
  return convolve(map, n, x, once(kernel), false, results,
                  [&](const Arrays& a, int64_t begin, int64_t count) {
                    return steps().pool_outputs(map, a.m, a.m_pitch, begin, count, bias, y, argmax);
                  });
}

bool Convolution::input_gradient(int64_t n, const float* dy, const float* kernel, float* dx) {
  const Map& map = backward_;
  return convolve(map, n, dy, once(kernel), true, outputs(map, dx),
                  [&](const Arrays& a, int64_t begin, int64_t count) {
                    return steps().outputs(map, a.m, a.m_pitch, begin, count, nullptr, dx);
                  });
}

bool Convolution::weight_gradient(int64_t n, const float* x, const float* dy, bool add,
                                  float* d_kernel) {
  const Map& map = forward_;
  const Arrays a = arrays(map);
  const Steps& run = steps();
  const int64_t tiles = n * map.tiles();
  const Images xs = inputs(map, x), slopes = outputs(map, dy);
  for_parts(tiles, a.tiles, kTileGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    run.inputs(map, x, begin, count, a.zeros, a.v, a.v_pitch);
    run.slopes(map, dy, begin, count, a.m, a.m_pitch);
    run.products({a.v, map.c, 1, map.c}, a.v_pitch, count, a.m, a.m_pitch, map.f,
                 {a.u, round_up(map.f, run.lanes), begin > 0}, a.u_pitch,
                 {xs.of(map, end, end + count, tiles), slopes.of(map, end, end + count, tiles)});
  });
  return run.kernel_gradient(map, a.u, a.u_pitch, add, d_kernel);
}

}  // namespace hornbeam::winograd
