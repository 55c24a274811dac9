#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

namespace hornbeam {
namespace {

namespace ffi = xla::ffi;

// Waking a thread takes some 20 us; a core does so many operations in about 35.
constexpr int64_t kOperationsPerSlice = 3'000'000;

// How long a caller looks for the end of the last slices before it sleeps, from which it too would
// have to be woken.
constexpr auto kPatience = std::chrono::microseconds(100);

// Leaves the core to others for a moment.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Shared by the caller and its helpers; the last to leave frees it. A helper that comes late finds
// no slice left and never touches `fn`, which lives only as long as the call.
struct Job {
  Job(int64_t slices, const Slice& fn) : slices(slices), fn(&fn) {}

  const int64_t slices;
  const Slice* const fn;
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::condition_variable finished;
  std::atomic<int64_t> done{0};                // written under mutex
  ffi::Error failure = ffi::Error::Success();  // the first one; under mutex

  void work() {
    for (int64_t slice; (slice = next.fetch_add(1)) < slices;) {
      // An exception ends in the thread that threw it; what travels is the error.
      ffi::Error error = guarded([&] {
        (*fn)(slice);
        return ffi::Error::Success();
      });
      // After a failure the rest is claimed in one step, and counted as done.
      int64_t dropped = 0;
      if (error.failure()) dropped = std::max<int64_t>(0, slices - next.exchange(slices));
      std::lock_guard<std::mutex> lock(mutex);
      if (failure.success()) failure = std::move(error);
      done += 1 + dropped;
      if (done == slices) finished.notify_all();
    }
  }

  void wait() {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    do {
      for (int i = 0; i < 16; ++i) {
        if (done == slices) return;
        relax();
      }
    } while (std::chrono::steady_clock::now() < end);
    std::unique_lock<std::mutex> lock(mutex);
    finished.wait(lock, [this] { return done == slices; });
  }
};

}  // namespace

ffi::Error guarded(const std::function<ffi::Error()>& fn) {
  try {
    return fn();
  } catch (const std::bad_alloc&) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted,
                      "Out of memory.");  // so short that it needs none itself
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kInternal,
                      std::string("In a native kernel: ") + error.what());
  } catch (...) {
    return ffi::Error(ffi::ErrorCode::kInternal, "Unknown failure in a native kernel.");
  }
}

ffi::Error parallel_for(ffi::ThreadPool& pool, int64_t slices, const Slice& fn) {
  return guarded([&] {
    if (slices == 1) {
      fn(0);
      return ffi::Error::Success();
    }
    auto job = std::make_shared<Job>(slices, fn);
    try {
      for (int64_t helper = 1; helper < slices; ++helper) pool.Schedule([job] { job->work(); });
    } catch (const std::bad_alloc&) {
      // Fewer helpers. Those under way still use `fn`, so this call must not be left here.
    }
    job->work();
    job->wait();
    return std::move(job->failure);  // nobody else looks at it any more
  });
}

int64_t slice_count(const ffi::ThreadPool& pool, int64_t operations) {
  // The pool has as many threads as there are cores. The caller takes part, so that a helper may
  // stay without work; a slice more than cores would have to wait for one.
  return std::clamp<int64_t>(operations / kOperationsPerSlice, 1,
                             std::max<int64_t>(1, pool.num_threads()));
}

int64_t slice_begin(int64_t slice, int64_t slices, int64_t items, int64_t grain) {
  const int64_t grains = divided_up(items, grain);
  return std::min(items, grains * slice / slices * grain);
}

}  // namespace hornbeam
