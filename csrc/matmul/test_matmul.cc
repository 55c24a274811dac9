// Batches of products beside plain loops, over odd sizes and all types.
#include "matmul/matmul.h"

#include <cmath>

#include "core/bfloat16.h"
#include "core/testing.h"

namespace {

using hornbeam::BFloat16;
using hornbeam::Type;
using hornbeam::matmul::Shape;
using namespace hornbeam::testing;

template <typename T>
constexpr Type kType = sizeof(T) == 4 ? Type::kFloat32 : Type::kBFloat16;

template <typename T, typename C>
void check(Pool& pool, int64_t z, int64_t m, int64_t k, int64_t n, bool a_transposed,
           bool b_transposed) {
  std::vector<T> a(z * m * k), b(z * k * n);
  const auto x = numbers(a.size(), 1), y = numbers(b.size(), 2);
  for (size_t i = 0; i < a.size(); ++i) hornbeam::narrow(x[i], &a[i]);
  for (size_t i = 0; i < b.size(); ++i) hornbeam::narrow(y[i], &b[i]);
  std::vector<C> c(z * m * n);
  auto view = pool.view();
  const Shape shape = {kType<T>, kType<C>, z, m, k, n, a_transposed, b_transposed};
  CHECK(multiply(view, shape, a.data(), b.data(), c.data()).success());
  for (int64_t pair = 0; pair < z; ++pair)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t l = 0; l < k; ++l) {
          sum += hornbeam::widen(a[pair * m * k + (a_transposed ? l * m + i : i * k + l)]) *
                 hornbeam::widen(b[pair * k * n + (b_transposed ? j * k + l : l * n + j)]);
        }
        const double tolerance = sizeof(C) == 2 ? 0.01 : 1e-4;
        CHECK(std::fabs(hornbeam::widen(c[(pair * m + i) * n + j]) - sum) <=
              tolerance * (1 + std::fabs(sum)));
      }
}

void check_all(Pool& pool, int64_t z, int64_t m, int64_t k, int64_t n) {
  for (bool a_transposed : {false, true}) {
    for (bool b_transposed : {false, true}) {
      check<float, float>(pool, z, m, k, n, a_transposed, b_transposed);
      check<BFloat16, BFloat16>(pool, z, m, k, n, a_transposed, b_transposed);
      check<BFloat16, float>(pool, z, m, k, n, a_transposed, b_transposed);
    }
  }
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    check_all(pool, 2, 1, 1, 1);
    check_all(pool, 3, 5, 7, 3);
    check_all(pool, 2, 17, 33, 40);
    check_all(pool, 1, 260, 259, 19);
    check_all(pool, 1, 9, 3, 270);
    check_all(pool, 1, 2, 0, 3);
  }
  Pool shared(2);
  at_once(4, [&](int number) { check_all(shared, 3, 32 + number, 40, 33); });
  std::puts("matmul: passed");
}
