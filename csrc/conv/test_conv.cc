// Convolutions beside plain loops, over odd sizes; with pooling beside convolution and pooling
// alone.
#include "conv/weights.h"
#include "conv/winograd.h"

#include <cmath>
#include <limits>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/testing.h"

namespace {

using hornbeam::Type;
using hornbeam::conv::output_size;
using hornbeam::conv::Shape;
using namespace hornbeam::testing;

struct Case {
  int64_t b, h, w, c, kh, kw, f, groups, stride, dilation, pad;
  int64_t unread = 0;  // rows and columns at the end, the padding after them among these
};

Shape shape_of(const Case& k) {
  Shape s{Type::kFloat32, k.b, k.h, k.w, k.c, k.kh, k.kw, k.f, 0, 0, k.groups, {}, {}, {}, {}};
  s.stride = {k.stride, k.stride};
  s.dilation = {k.dilation, k.dilation};
  const int64_t after = k.pad - k.unread;
  s.before = {k.pad, k.pad}, s.after = {after, after};
  s.oh = output_size(k.h, k.kh, k.stride, k.dilation, k.pad, after);
  s.ow = output_size(k.w, k.kw, k.stride, k.dilation, k.pad, after);
  return s;
}

// fn(x element, kernel element, y element) of every multiplication.
template <typename F>
void each_multiplication(const Shape& s, const F& fn) {
  const int64_t in = s.c / s.groups, out = s.f / s.groups;
  for (int64_t b = 0; b < s.b; ++b)
    for (int64_t i = 0; i < s.oh; ++i)
      for (int64_t j = 0; j < s.ow; ++j)
        for (int64_t p = 0; p < s.kh; ++p)
          for (int64_t q = 0; q < s.kw; ++q) {
            const int64_t row = i * s.stride[0] + p * s.dilation[0] - s.before[0];
            const int64_t column = j * s.stride[1] + q * s.dilation[1] - s.before[1];
            if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
            for (int64_t g = 0; g < s.groups; ++g)
              for (int64_t c = 0; c < in; ++c)
                for (int64_t f = 0; f < out; ++f)
                  fn(((b * s.h + row) * s.w + column) * s.c + g * in + c,
                     ((p * s.kw + q) * in + c) * s.f + g * out + f,
                     ((b * s.oh + i) * s.ow + j) * s.f + g * out + f);
          }
}

void all_three(Pool& pool, const Case& k, bool relu) {
  auto view = pool.view();
  const Shape s = shape_of(k);
  const int64_t outputs = s.b * s.oh * s.ow * s.f;
  const auto x = numbers(s.b * s.h * s.w * s.c, 1), kernel = numbers(s.kernel_size(), 2);
  const auto bias = numbers(s.f, 3), dy = numbers(outputs, 4);
  Floats y(outputs), expected(outputs);
  for (int64_t i = 0; i < outputs; ++i) expected[i] = bias[i % s.f];
  each_multiplication(s, [&](int64_t a, int64_t b, int64_t c) { expected[c] += x[a] * kernel[b]; });
  for (float& value : expected) value = relu ? std::fmax(value, 0.0f) : value;
  CHECK(forward(view, s, x.data(), kernel.data(), bias.data(), relu, y.data()).success());
  expect_close(y, expected);

  Floats dz(dy), dx(x.size()), dk(kernel.size()), db(s.f);
  Floats expected_dx(x.size()), expected_dk(kernel.size()), expected_db(s.f);
  for (int64_t i = 0; relu && i < outputs; ++i) dz[i] = y[i] > 0 ? dy[i] : 0;
  for (int64_t i = 0; i < outputs; ++i) expected_db[i % s.f] += dz[i];
  each_multiplication(s, [&](int64_t a, int64_t b, int64_t c) {
    expected_dx[a] += dz[c] * kernel[b];
    expected_dk[b] += x[a] * dz[c];
  });
  const float* mask = relu ? y.data() : nullptr;
  CHECK(input_gradient(view, s, dy.data(), kernel.data(), mask, dx.data()).success());
  CHECK(weight_gradient(view, s, x.data(), dy.data(), mask, dk.data(), db.data()).success());
  expect_close(dx, expected_dx);
  expect_close(dk, expected_dk);
  expect_close(db, expected_db);
}

// The kernel's gradient in bfloat16, of numbers that are exact in it, onto ones.
void in_pairs(const Case& k) {
  Shape s = shape_of(k);
  s.type = hornbeam::Type::kBFloat16;
  if (!has_weight_gradient(s)) return;
  auto x = numbers(s.b * s.h * s.w * s.c, 1), dy = numbers(s.b * s.oh * s.ow * s.f, 2);
  const auto narrowed = [](Floats& from) {
    std::vector<hornbeam::BFloat16> to(from.size());
    for (size_t i = 0; i < from.size(); ++i) {
      hornbeam::narrow(from[i], &to[i]);
      from[i] = hornbeam::widen(to[i]);
    }
    return to;
  };
  const auto narrow_x = narrowed(x), narrow_dy = narrowed(dy);
  Floats expected(s.kernel_size(), 1), dk(expected);
  each_multiplication(s, [&](int64_t a, int64_t b, int64_t c) { expected[b] += x[a] * dy[c]; });
  add_weight_gradient(s, s.b, narrow_x.data(), narrow_dy.data(), dk.data());
  expect_close(dk, expected);
}

// The fused kernel beside `forward` with relu, and pooling by plain loops.
void pooled(Pool& pool, const Case& k) {
  auto view = pool.view();
  const Shape s = shape_of(k);
  const int64_t ph = s.oh / 2, pw = s.ow / 2, outputs = s.b * ph * pw * s.f;
  const auto x = numbers(s.b * s.h * s.w * s.c, 1), kernel = numbers(s.kernel_size(), 2);
  const auto bias = numbers(s.f, 3), dy = numbers(outputs, 4);
  Floats full(s.b * s.oh * s.ow * s.f), y(outputs), expected(outputs), value(outputs);
  Floats d_full(full.size());
  CHECK(forward(view, s, x.data(), kernel.data(), bias.data(), true, full.data()).success());
  for (int64_t i = 0; i < outputs; ++i) {
    const int64_t f = i % s.f, q = i / s.f % pw, p = i / s.f / pw % ph, b = i / s.f / pw / ph;
    int64_t best = -1;
    for (int64_t tap = 0; tap < 4; ++tap) {
      const int64_t row = 2 * p + tap / 2, column = 2 * q + tap % 2;
      const int64_t at = ((b * s.oh + row) * s.ow + column) * s.f + f;
      if (best < 0 || full[at] > full[best]) best = at;
    }
    expected[i] = full[best];
    if (full[best] > 0) d_full[best] = dy[i];
  }
  std::vector<uint8_t> argmax(outputs);
  CHECK(pool_forward(view, s, x.data(), kernel.data(), bias.data(), y.data(), argmax.data())
            .success());
  CHECK(
      pool_forward(view, s, x.data(), kernel.data(), bias.data(), value.data(), nullptr).success());
  expect_close(y, expected);
  expect_close(value, expected);

  Floats dx(x.size()), dk(kernel.size()), db(s.f);
  Floats expected_dx(x.size()), expected_dk(kernel.size()), expected_db(s.f);
  const uint8_t* map = argmax.data();
  CHECK(pool_input_gradient(view, s, dy.data(), map, kernel.data(), dx.data()).success());
  CHECK(pool_weight_gradient(view, s, x.data(), dy.data(), map, dk.data(), db.data()).success());
  const float* d = d_full.data();
  CHECK(input_gradient(view, s, d, kernel.data(), nullptr, expected_dx.data()).success());
  CHECK(weight_gradient(view, s, x.data(), d, nullptr, expected_dk.data(), expected_db.data())
            .success());
  expect_close(dx, expected_dx);
  expect_close(dk, expected_dk);
  expect_close(db, expected_db);
}

}  // namespace

int main() {
  //                    b   h   w   c  kh kw  f  groups stride dilation pad
  const Case cases[] = {
      {2, 9, 7, 3, 3, 3, 5, 1, 1, 1, 1},
      {1, 8, 8, 16, 3, 3, 33, 1, 2, 1, 1},
      {3, 1, 20, 8, 1, 5, 7, 1, 1, 2, 0},
      {2, 6, 6, 8, 3, 3, 8, 8, 1, 1, 1},
      {17, 10, 10, 4, 3, 3, 8, 2, 1, 1, 0},
      {0, 5, 5, 4, 3, 3, 8, 1, 1, 1, 0},
      {33, 6, 6, 32, 3, 3, 16, 1, 1, 1, 1},
      {2, 7, 7, 5, 1, 1, 3, 1, 3, 1, 0},
      {2, 9, 21, 12, 5, 5, 9, 1, 1, 1, 1},
      {5, 5, 5, 24, 3, 3, 16, 1, 1, 1, 0},
      {2, 10, 9, 8, 3, 3, 16, 1, 1, 1, 0, 2},
      {3, 9, 9, 4, 3, 3, 8, 1, 2, 1, 1, 3},
      {2, 9, 8, 6, 1, 1, 5, 1, 2, 1, 0, 1},
      // Windows of one channel each that are large or have gaps: our own gradient of them.
      {3, 9, 11, 33, 5, 5, 33, 33, 1, 1, 2},
      {2, 12, 13, 20, 5, 4, 20, 20, 2, 1, 1},
      {2, 8, 25, 16, 2, 11, 16, 16, 1, 1, 5},
      {1, 3, 4, 40, 7, 7, 40, 40, 1, 1, 3},
      {2, 11, 12, 7, 3, 3, 7, 7, 2, 2, 2},
      {2, 10, 9, 16, 5, 5, 16, 16, 1, 1, 0, 2}};
  // Enough tiles of enough channels for Winograd's convolution: odd sizes, more than one block of
  // tiles.
  const Case tiled[] = {{2, 9, 21, 20, 3, 3, 17, 1, 1, 1, 1},
                        {1, 40, 60, 24, 3, 3, 16, 1, 1, 1, 2},
                        {4, 8, 8, 64, 3, 3, 80, 1, 1, 1, 1},
                        {3, 15, 6, 16, 3, 3, 33, 1, 1, 1, 0},
                        {2, 15, 14, 20, 3, 3, 16, 1, 1, 1, 1, 2}};
  for (int64_t f : {16, 32, 48, 64}) {
    in_pairs({3, 9, 7, 16, 3, 3, f, 1, 1, 1, 1});
    in_pairs({1, 33, 40, 32, 5, 5, f, 1, 1, 2, 4});
    in_pairs({4, 9, 11, 48, 3, 3, f, 1, 2, 1, 1});
    in_pairs({2, 1, 31, 16, 1, 3, f, 1, 3, 2, 0});
  }
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (const Case& each : cases) {
      all_three(pool, each, false);
      all_three(pool, each, true);
    }
    for (const Case& each : tiled) {
      CHECK(hornbeam::winograd::Convolution(shape_of(each)).suits_forward() ==
            hornbeam::cpu().avx2);
      all_three(pool, each, true);
      pooled(pool, each);
    }
    for (int64_t c : {1, 2, 3, 4, 7, 32}) {
      for (int64_t side : {6, 7, 13}) {
        for (int64_t b : {1, 5, 35}) pooled(pool, {b, side, side + 1, c, 3, 3, 16, 1, 1, 1, 0});
      }
      pooled(pool, {2, 11, 11, c, 5, 5, 20, 1, 1, 1, 2});
      for (int64_t unread : {1, 2, 3}) {
        for (int64_t pad : {0, 1}) pooled(pool, {3, 13, 12, c, 3, 3, 16, 1, 1, 1, pad, unread});
      }
    }
  }
  Pool shared(2);
  at_once(4, [&](int number) {
    for (int i = 0; i < 3; ++i) pooled(shared, {19 + number, 13, 13, 8, 3, 3, 16, 1, 1, 1, 0});
  });
  std::puts("conv: passed");
}
