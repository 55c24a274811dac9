// Images over slices: each exactly once, whoever takes them.
#include "conv/chunks.h"

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "core/testing.h"

namespace {

using namespace hornbeam::conv;
using hornbeam::Type;
using hornbeam::testing::Pool;

Shape shape_of(int64_t b, int64_t side, int64_t c) {
  return {Type::kFloat32, b,    side, side,   c,      3,      3,     16,
          side,           side, 1,    {1, 1}, {1, 1}, {1, 1}, {1, 1}};
}

void each_once(int64_t slices, const Shape& s, bool steals) {
  Pool pool(3);
  auto view = pool.view();
  Queue queue(s, slices);
  std::vector<std::atomic<int>> taken(s.b);
  const auto count = [&](int64_t begin, int64_t images) {
    CHECK(images > 0);
    for (int64_t i = begin; i < begin + images; ++i) ++taken[i];
  };
  const auto error = hornbeam::parallel_for(view, slices, [&](int64_t slice) {
    if (steals) {
      queue.work(slice, count);
    } else {
      for_chunks(s, slice, slices, count);
    }
  });
  CHECK(error.success());
  for (const auto& each : taken) CHECK(each == 1);
}

// The slice that is slow keeps the chunk it has; the other one does the rest.
void a_slow_slice_is_helped() {
  const Shape s = shape_of(64, 16, 16);
  Queue queue(s, 2);
  int64_t fast = 0;
  std::atomic<bool> has_one{false}, rest_is_done{false};
  std::thread slow([&] {
    queue.work(0, [&](int64_t, int64_t) {
      has_one = true;
      while (!rest_is_done) std::this_thread::yield();
    });
  });
  while (!has_one) std::this_thread::yield();
  queue.work(1, [&](int64_t, int64_t images) { fast += images; });
  rest_is_done = true;
  slow.join();
  CHECK(fast >= 48 && fast < 64);
}

}  // namespace

int main() {
  for (bool steals : {false, true}) {
    for (int64_t slices : {1, 2, 3, 7}) {
      for (int64_t b : {7, 8, 61, 300}) {
        each_once(slices, shape_of(b, 4, 8), steals);
        each_once(slices, shape_of(b, 40, 64), steals);
      }
    }
  }
  a_slow_slice_is_helped();
  std::puts("chunks: passed");
}
