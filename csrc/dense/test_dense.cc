// The dense kernels beside plain loops, over odd sizes, on several threads at once.
#include "dense/dense.h"

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/testing.h"

namespace {

using hornbeam::BFloat16;
using hornbeam::Type;
using hornbeam::dense::Shape;
using namespace hornbeam::testing;

void all_three(Pool& pool, int64_t b, int64_t d, int64_t u, bool relu) {
  auto view = pool.view();
  const Shape shape{Type::kFloat32, Type::kFloat32, b, d, u, false};
  const auto x = numbers(b * d, 1), kernel = numbers(d * u, 2), bias = numbers(u, 3);
  const auto dy = numbers(b * u, 4);
  std::vector<float> y(b * u), expected_y(b * u);
  CHECK(forward(view, shape, x.data(), kernel.data(), bias.data(), relu, y.data()).success());
  for (int64_t i = 0; i < b; ++i) {
    for (int64_t j = 0; j < u; ++j) {
      double sum = bias[j];
      for (int64_t k = 0; k < d; ++k) sum += double{x[i * d + k]} * kernel[k * u + j];
      expected_y[i * u + j] = relu && sum < 0 ? 0 : static_cast<float>(sum);
    }
  }
  expect_close(y, expected_y);

  std::vector<float> dz(dy), dx(b * d), expected_dx(b * d);
  for (int64_t i = 0; relu && i < b * u; ++i) dz[i] = y[i] > 0 ? dy[i] : 0;
  const void* mask = relu ? y.data() : nullptr;
  CHECK(input_gradient(view, shape, dy.data(), kernel.data(), mask, dx.data()).success());
  std::vector<float> dk(d * u), expected_dk(d * u), db(u), expected_db(u);
  CHECK(weight_gradient(view, shape, x.data(), dy.data(), mask, dk.data(), db.data()).success());
  for (int64_t i = 0; i < b; ++i) {
    for (int64_t j = 0; j < u; ++j) {
      expected_db[j] += dz[i * u + j];
      for (int64_t k = 0; k < d; ++k) {
        expected_dx[i * d + k] += dz[i * u + j] * kernel[k * u + j];
        expected_dk[k * u + j] += x[i * d + k] * dz[i * u + j];
      }
    }
  }
  expect_close(dx, expected_dx);
  expect_close(dk, expected_dk);
  expect_close(db, expected_db);
}

std::vector<float> widened(const std::vector<BFloat16>& values) {
  std::vector<float> result;
  for (BFloat16 value : values) result.push_back(hornbeam::widen(value));
  return result;
}

// What rounding to bfloat16 leaves of sums of `terms` products.
void expect_near(const std::vector<float>& actual, const std::vector<float>& expected,
                 double terms) {
  CHECK(actual.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(std::fabs(actual[i] - expected[i]) <= 1e-2 * (std::sqrt(terms) + std::fabs(expected[i])));
  }
}

// bfloat16 rows beside float32 weights, with and without relu.
void stored_in_float32(Pool& pool, int64_t b, int64_t d, int64_t u, bool relu) {
  auto view = pool.view();
  const Shape shape{Type::kBFloat16, Type::kFloat32, b, d, u, false};
  const auto x = rounded(numbers(b * d, 1)), dy = rounded(numbers(b * u, 4));
  const auto kernel = numbers(d * u, 2), bias = numbers(u, 3);
  const auto wide_x = widened(x), wide_kernel = widened(rounded(kernel)), wide_dy = widened(dy);
  std::vector<BFloat16> y(b * u), dx(b * d);
  std::vector<float> dk(d * u), db(u);
  CHECK(forward(view, shape, x.data(), kernel.data(), bias.data(), relu, y.data()).success());
  const void* mask = relu ? y.data() : nullptr;
  CHECK(input_gradient(view, shape, dy.data(), kernel.data(), mask, dx.data()).success());
  CHECK(weight_gradient(view, shape, x.data(), dy.data(), mask, dk.data(), db.data()).success());

  std::vector<float> expected_y(b * u), expected_dx(b * d), expected_dk(d * u), expected_db(u);
  const auto wide_y = widened(y);
  for (int64_t i = 0; i < b; ++i) {
    for (int64_t j = 0; j < u; ++j) {
      float sum = bias[j];
      const float dz = relu && !(wide_y[i * u + j] > 0) ? 0 : wide_dy[i * u + j];
      expected_db[j] += dz;
      for (int64_t k = 0; k < d; ++k) {
        sum += wide_x[i * d + k] * wide_kernel[k * u + j];
        expected_dx[i * d + k] += dz * wide_kernel[k * u + j];
        expected_dk[k * u + j] += wide_x[i * d + k] * dz;
      }
      expected_y[i * u + j] = relu && sum < 0 ? 0 : sum;
    }
  }
  expect_near(wide_y, expected_y, d);
  expect_near(widened(dx), expected_dx, u);
  expect_close(dk, expected_dk);
  expect_close(db, expected_db);
}

void many_calls_at_once() {
  Pool pool(3);
  at_once(6, [&](int number) {
    for (int i = 0; i < 10; ++i) all_three(pool, 33 + number, 65, 130, number % 2);
  });
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (bool relu : {false, true}) {
      for (int64_t b : {0, 1, 7, 64}) all_three(pool, b, 33, 17, relu);
      all_three(pool, 130, 257, 129, relu);
      if (!hornbeam::cpu().avx512) continue;  // oneDNN wants it for products in bfloat16
      for (int64_t b : {0, 1, 7, 64}) stored_in_float32(pool, b, 33, 17, relu);
      stored_in_float32(pool, 130, 257, 129, relu);
      stored_in_float32(pool, 300, 130, 1030, relu);  // columns in blocks, the inner axis in parts
      stored_in_float32(pool, 40, 1050, 70, relu);
    }
  }
  many_calls_at_once();
  std::puts("dense: passed");
}
