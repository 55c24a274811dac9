// Draws over odd sizes: memory, and the same draws each time.
#include "bernoulli/bernoulli.h"

#include <cmath>
#include <memory>

#include "core/testing.h"

namespace {

using namespace hornbeam::testing;

void draws(Pool& pool, int64_t size) {
  auto view = pool.view();
  const uint32_t key[2] = {1, 2};
  auto drawn = std::make_unique<bool[]>(size), again = std::make_unique<bool[]>(size);
  const uint32_t half = 1u << 22;  // of the 23 bits that count
  CHECK(hornbeam::bernoulli::draw(view, key, half, size, drawn.get()).success());
  CHECK(hornbeam::bernoulli::draw(view, key, half, size, again.get()).success());
  int64_t count = 0;
  for (int64_t i = 0; i < size; ++i) {
    CHECK(drawn[i] == again[i]);
    count += drawn[i];
  }
  if (size > 1000) CHECK(std::fabs(count - 0.5 * size) < 0.05 * size);
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (int64_t size : {0, 1, 15, 33, 5000, 300000}) draws(pool, size);
  }
  std::puts("bernoulli: passed");
}
