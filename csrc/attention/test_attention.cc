// Attention beside plain loops, over odd sizes, with masks; its gradients beside differences of
// values.
#include "attention/attention.h"

#include <cmath>
#include <memory>

#include "core/bfloat16.h"
#include "core/testing.h"

namespace {

using hornbeam::BFloat16;
using hornbeam::narrow;
using hornbeam::Type;
using hornbeam::widen;
using hornbeam::attention::Problem;
using namespace hornbeam::testing;

struct Model {
  Model(int64_t b, int64_t n, int64_t t, int64_t s, int64_t d, int64_t e, bool causal, bool masked)
      : q(numbers(b * t * n * d, 1)),
        k(numbers(b * s * n * d, 2)),
        v(numbers(b * s * n * e, 3)),
        stats(b * n * t * 2) {
    p = {Type::kFloat32, b,       n,       t,       s,      d, e, 0.5f, causal, nullptr,
         {0, 0, 0, 0},   nullptr, nullptr, nullptr, nullptr};
    if (!masked) return;
    mask = std::make_unique<bool[]>(t * s);  // the same for all examples and heads
    for (int64_t i = 0; i < t * s; ++i) mask[i] = i % 3 != 1;
    p.mask = mask.get();
    p.strides[2] = s;
    p.strides[3] = 1;
  }

  const Problem& problem() {
    p.q = q.data();
    p.k = k.data();
    p.v = v.data();
    p.stats = stats.data();
    return p;
  }

  Floats value(Pool& pool) {
    auto view = pool.view();
    Floats y(p.b * p.t * p.n * p.e);
    CHECK(forward(view, problem(), y.data()).success());
    return y;
  }

  bool sees(int64_t i, int64_t j) const {
    return (!p.causal || j <= i) && (!p.mask || mask[i * p.s + j]);
  }

  Floats expected() const {
    Floats y(p.b * p.t * p.n * p.e);
    for (int64_t b = 0; b < p.b; ++b)
      for (int64_t n = 0; n < p.n; ++n)
        for (int64_t i = 0; i < p.t; ++i) {
          std::vector<double> weights(p.s);
          double sum = 0;
          for (int64_t j = 0; j < p.s; ++j) {
            double logit = 0;
            for (int64_t c = 0; c < p.d; ++c)
              logit +=
                  q[((b * p.t + i) * p.n + n) * p.d + c] * k[((b * p.s + j) * p.n + n) * p.d + c];
            weights[j] = sees(i, j) ? std::exp(p.scale * logit) : 0;
            sum += weights[j];
          }
          for (int64_t j = 0; j < p.s; ++j)
            for (int64_t c = 0; c < p.e; ++c)
              y[((b * p.t + i) * p.n + n) * p.e + c] +=
                  static_cast<float>(weights[j] / sum) * v[((b * p.s + j) * p.n + n) * p.e + c];
        }
    return y;
  }

  Problem p;
  Floats q, k, v, stats;
  std::unique_ptr<bool[]> mask;
};

void expect_slopes(Pool& pool, Model& model, Floats& array, const Floats& gradient) {
  for (size_t i = 0; i < array.size(); i += 1 + array.size() / 5) {
    const float step = 0.02f, at = array[i];
    double sums[2] = {0, 0};
    for (int side : {0, 1}) {
      array[i] = side ? at + step : at - step;
      for (float each : model.value(pool)) sums[side] += each;
    }
    array[i] = at;
    const double slope = (sums[1] - sums[0]) / (2 * step);
    CHECK(std::fabs(slope - gradient[i]) < 0.02 * (1 + std::fabs(slope)));
  }
}

void check(Pool& pool, int64_t b, int64_t n, int64_t t, int64_t s, int64_t d, int64_t e,
           bool causal, bool masked) {
  Model model(b, n, t, s, d, e, causal, masked);
  const Floats y = model.value(pool);
  expect_close(y, model.expected());
  auto view = pool.view();
  const Floats dy(y.size(), 1);
  Floats dq(model.q.size()), dk(model.k.size()), dv(model.v.size());
  CHECK(backward(view, model.problem(), y.data(), dy.data(), dq.data(), dk.data(), dv.data())
            .success());
  expect_slopes(pool, model, model.q, dq);
  expect_slopes(pool, model, model.k, dk);
  expect_slopes(pool, model, model.v, dv);
}

std::vector<BFloat16> narrowed(const Floats& from) {
  std::vector<BFloat16> to(from.size());
  for (size_t i = 0; i < from.size(); ++i) narrow(from[i], &to[i]);
  return to;
}

void expect_near(const std::vector<BFloat16>& actual, const Floats& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(std::fabs(widen(actual[i]) - expected[i]) < 0.03 * (1 + std::fabs(expected[i])));
  }
}

// bfloat16 beside float32.
void check_narrow(Pool& pool, int64_t b, int64_t n, int64_t t, int64_t s, int64_t d, int64_t e,
                  bool causal, bool masked) {
  Model model(b, n, t, s, d, e, causal, masked);
  const Floats y = model.value(pool), dy(y.size(), 1);
  Floats dq(model.q.size()), dk(model.k.size()), dv(model.v.size());
  auto view = pool.view();
  CHECK(backward(view, model.problem(), y.data(), dy.data(), dq.data(), dk.data(), dv.data())
            .success());

  const auto q = narrowed(model.q), k = narrowed(model.k), v = narrowed(model.v),
             ones = narrowed(dy);
  std::vector<BFloat16> narrow_y(y.size()), narrow_dq(dq.size()), narrow_dk(dk.size()),
      narrow_dv(dv.size());
  Problem p = model.problem();
  p.type = Type::kBFloat16;
  p.q = q.data();
  p.k = k.data();
  p.v = v.data();
  CHECK(forward(view, p, narrow_y.data()).success());
  CHECK(backward(view, p, narrow_y.data(), ones.data(), narrow_dq.data(), narrow_dk.data(),
                 narrow_dv.data())
            .success());
  expect_near(narrow_y, y);
  expect_near(narrow_dq, dq);
  expect_near(narrow_dk, dk);
  expect_near(narrow_dv, dv);
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (bool causal : {false, true}) {
      for (bool masked : {false, true}) {
        check(pool, 1, 1, 2, 3, 1, 1, causal, masked);
        check(pool, 2, 3, 17, 17, 5, 9, causal, masked);
        check(pool, 3, 2, 33, 20, 16, 16, causal, masked);
        check(pool, 1, 1, 260, 131, 3, 4, causal, masked);
        check_narrow(pool, 2, 3, 17, 23, 5, 9, causal, masked);
        check_narrow(pool, 1, 1, 35, 131, 32, 16, causal, masked);
      }
    }
  }
  Pool shared(2);
  at_once(4,
          [&](int number) { check(shared, 2, 4, 32 + number, 32, 8, 8, number % 2, number > 1); });
  std::puts("attention: passed");
}
