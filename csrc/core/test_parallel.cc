// parallel_for: every slice once, also nested, on busy and empty pools, and after a failure.
#include "core/parallel.h"

#include <atomic>
#include <new>
#include <stdexcept>

#include "core/testing.h"

namespace {

using hornbeam::parallel_for;
using namespace hornbeam::testing;

void every_slice_runs_once(int threads) {
  Pool pool(threads);
  auto view = pool.view();
  for (int64_t slices : {1, 2, 3, 17, 200}) {
    std::vector<int> runs(slices, 0);
    CHECK(parallel_for(view, slices, [&](int64_t slice) { ++runs[slice]; }).success());
    for (int count : runs) CHECK(count == 1);
  }
}

void calls_nest() {
  Pool pool(2);
  auto view = pool.view();
  std::atomic<int> sum{0};
  auto outer = [&](int64_t) {
    auto inner = [&](int64_t) { sum += 1; };
    CHECK(parallel_for(view, 5, inner).success());
  };
  for (int i = 0; i < 200; ++i) CHECK(parallel_for(view, 7, outer).success());
  CHECK(sum == 200 * 7 * 5);
}

void many_callers_share_a_pool() {
  Pool pool(3);
  std::atomic<int64_t> total{0};
  at_once(8, [&](int) {
    auto view = pool.view();
    for (int i = 0; i < 500; ++i) {
      std::vector<int64_t> parts(6, 0);
      CHECK(parallel_for(view, 6, [&](int64_t slice) { parts[slice] = slice; }).success());
      for (int64_t part : parts) total += part;
    }
  });
  CHECK(total == 8 * 500 * 15);
}

void a_failure_becomes_an_error() {
  Pool pool(2);
  auto view = pool.view();
  for (int i = 0; i < 200; ++i) {
    auto error = parallel_for(view, 9, [&](int64_t slice) {
      if (slice % 4 == 3) throw std::runtime_error("on purpose");
    });
    CHECK(error.failure());
    CHECK(error.message().find("on purpose") != std::string::npos);
  }
  auto memory = parallel_for(view, 2, [](int64_t) { throw std::bad_alloc(); });
  CHECK(memory.errc() == xla::ffi::ErrorCode::kResourceExhausted);
}

void slices_cover_all_items() {
  for (int64_t items : {0, 1, 15, 16, 17, 1000}) {
    for (int64_t slices : {1, 2, 3, 8}) {
      CHECK(hornbeam::slice_begin(0, slices, items, 16) == 0);
      CHECK(hornbeam::slice_begin(slices, slices, items, 16) == items);
      for (int64_t s = 0; s < slices; ++s) {
        CHECK(hornbeam::slice_begin(s, slices, items, 16) <=
              hornbeam::slice_begin(s + 1, slices, items, 16));
      }
    }
  }
}

}  // namespace

int main() {
  for (int threads : {0, 1, 4}) every_slice_runs_once(threads);
  calls_nest();
  many_callers_share_a_pool();
  a_failure_becomes_an_error();
  slices_cover_all_items();
  std::puts("parallel: passed");
}
