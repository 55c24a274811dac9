// The steps of optimizers over odd sizes: memory, and the same steps in loops.
#include "updates/updates.h"

#include <cmath>
#include <vector>

#include "core/testing.h"

namespace {

using hornbeam::Type;
using namespace hornbeam::testing;

void adam(Pool& pool) {
  auto view = pool.view();
  std::vector<Floats> values, gradients, means, squares;
  for (int64_t size : {0, 1, 15, 33, 5000}) {
    values.push_back(numbers(size, 1));
    gradients.push_back(numbers(size, 2));
    means.emplace_back(size);
    squares.emplace_back(size);
  }
  const auto before = values;
  hornbeam::updates::Variables variables;
  for (size_t i = 0; i < values.size(); ++i) {
    float *v = values[i].data(), *m = means[i].data(), *s = squares[i].data();
    const auto size = static_cast<int64_t>(values[i].size());
    variables.push_back({size, gradients[i].data(), v, {m, s}, v, {m, s}, 0, {}});
  }
  CHECK(update(view, hornbeam::updates::Adam{0.1f, 0.1f, 0.001f, 1e-7f}, variables).success());
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < values[i].size(); ++j) {
      const float g = gradients[i][j], m = 0.1f * g, s = 0.001f * g * g;
      CHECK(std::fabs(values[i][j] - (before[i][j] - 0.1f * m / (std::sqrt(s) + 1e-7f))) < 1e-3f);
    }
  }
}

// The rules with a momentum, beside the same in a loop.
void other_rules(Pool& pool) {
  using namespace hornbeam::updates;
  auto view = pool.view();
  for (int64_t size : {0, 1, 15, 33, 5000}) {
    const auto gradient = numbers(size, 1), before = numbers(size, 2), slot = numbers(size, 3);
    const auto step = [&](const auto& rule, const auto& expected) {
      Floats value = before, first = slot, second = slot;
      for (float& each : first) each *= each;  // for means of squares; momenta may be so too
      const Floats old = first;
      const Variables variables{{size,
                                 gradient.data(),
                                 value.data(),
                                 {first.data(), second.data()},
                                 value.data(),
                                 {first.data(), second.data()},
                                 0,
                                 {}}};
      CHECK(update(view, rule, variables).success());
      Floats moved(size);
      for (int64_t i = 0; i < size; ++i)
        moved[i] = before[i] + expected(gradient[i], old[i], slot[i]);
      expect_close(value, moved);
    };
    step(Sgd{0.1f}, [](float g, float, float) { return -0.1f * g; });
    step(Momentum{0.1f, 0.9f, false}, [](float g, float m, float) { return 0.9f * m - 0.1f * g; });
    step(Momentum{0.1f, 0.9f, true},
         [](float g, float m, float) { return 0.9f * (0.9f * m - 0.1f * g) - 0.1f * g; });
    const auto scaled = [](float g, float s) {
      return 0.1f * g / std::sqrt(0.9f * s + 0.1f * g * g + 1e-3f);
    };
    step(RmsProp{0.1f, 0.9f, 0.1f, 1e-3f}, [&](float g, float s, float) { return -scaled(g, s); });
    step(RmsPropMomentum{0.1f, 0.9f, 0.1f, 1e-3f, 0.5f},
         [&](float g, float s, float m) { return -(0.5f * m + scaled(g, s)); });
  }
}

// A table by the rows that were looked up, beside the same one by its gradient.
void table(Pool& pool, int64_t n, int64_t d, int64_t m) {
  auto view = pool.view();
  const auto dy = numbers(m * d, 1);
  Floats value = numbers(n * d, 2), same = value, gradient(n * d);
  std::vector<int32_t> indices(m);
  for (int64_t i = 0; i < m; ++i) {
    indices[i] = static_cast<int32_t>(i * i % (n + 2)) - 1;
    if (indices[i] < 0 || indices[i] >= n) continue;
    for (int64_t j = 0; j < d; ++j) gradient[indices[i] * d + j] += dy[i * d + j];
  }
  using namespace hornbeam::updates;
  const RowGradient rows{Type::kFloat32, m, d, indices.data(), dy.data()};
  const Variables by_rows{{n * d, nullptr, value.data(), {}, value.data(), {}, 0.1f, rows}};
  const Variables dense{{n * d, gradient.data(), same.data(), {}, same.data(), {}, 0.1f, {}}};
  CHECK(update(view, Sgd{0.5f}, by_rows).success());
  CHECK(update(view, Sgd{0.5f}, dense).success());
  CHECK(value == same);
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    adam(pool);
    other_rules(pool);
    table(pool, 1, 1, 1);
    table(pool, 7, 3, 40);
    table(pool, 900, 129, 300);
  }
  std::puts("updates: passed");
}
