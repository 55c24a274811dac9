// Attention beside plain loops, over odd sizes, with masks; its gradients beside differences of values.
#include "attention.h"

#include <cmath>
#include <memory>

#include "tests/testing.h"

namespace {

using hornbeam::attention::Problem;
using hornbeam::testing::at_once;
using hornbeam::testing::expect_close;
using hornbeam::testing::numbers;
using hornbeam::testing::Pool;
using Floats = std::vector<float>;

struct Model {
  Model(int64_t b, int64_t n, int64_t t, int64_t s, int64_t d, bool causal, bool masked)
      : q(numbers(b * t * n * d, 1)),
        k(numbers(b * s * n * d, 2)),
        v(numbers(b * s * n * d, 3)),
        stats(b * n * t * 2) {
    p = {b, n, t, s, d, 0.5f, causal, nullptr, {0, 0, 0, 0}, nullptr, nullptr, nullptr, nullptr};
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
    Floats y(q.size());
    CHECK(forward(view, problem(), y.data()).success());
    return y;
  }

  bool sees(int64_t i, int64_t j) const {
    return (!p.causal || j <= i) && (!p.mask || mask[i * p.s + j]);
  }

  Floats expected() const {
    Floats y(q.size());
    for (int64_t b = 0; b < p.b; ++b)
      for (int64_t n = 0; n < p.n; ++n)
        for (int64_t i = 0; i < p.t; ++i) {
          std::vector<double> weights(p.s);
          double sum = 0;
          for (int64_t j = 0; j < p.s; ++j) {
            double logit = 0;
            for (int64_t c = 0; c < p.d; ++c)
              logit += q[((b * p.t + i) * p.n + n) * p.d + c] * k[((b * p.s + j) * p.n + n) * p.d + c];
            weights[j] = sees(i, j) ? std::exp(p.scale * logit) : 0;
            sum += weights[j];
          }
          for (int64_t j = 0; j < p.s; ++j)
            for (int64_t c = 0; c < p.d; ++c)
              y[((b * p.t + i) * p.n + n) * p.d + c] +=
                  static_cast<float>(weights[j] / sum) * v[((b * p.s + j) * p.n + n) * p.d + c];
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

void check(Pool& pool, int64_t b, int64_t n, int64_t t, int64_t s, int64_t d, bool causal, bool masked) {
  Model model(b, n, t, s, d, causal, masked);
  expect_close(model.value(pool), model.expected());
  auto view = pool.view();
  const Floats dy(model.q.size(), 1);
  Floats dq(model.q.size()), dk(model.k.size()), dv(model.v.size());
  CHECK(backward(view, model.problem(), dy.data(), dq.data(), dk.data(), dv.data()).success());
  expect_slopes(pool, model, model.q, dq);
  expect_slopes(pool, model, model.k, dk);
  expect_slopes(pool, model, model.v, dv);
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (bool causal : {false, true}) {
      for (bool masked : {false, true}) {
        check(pool, 1, 1, 2, 3, 1, causal, masked);
        check(pool, 2, 3, 17, 17, 5, causal, masked);
        check(pool, 3, 2, 33, 20, 16, causal, masked);
      }
    }
  }
  Pool shared(2);
  at_once(4, [&](int number) { check(shared, 2, 4, 32 + number, 32, 8, number % 2, number > 1); });
  std::puts("attention: passed");
}
