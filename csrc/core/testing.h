// What the C++ tests share: checks that say where they failed, and a pool of threads that looks
// like XLA's.
//
// Tests run under sanitizers (see Makefile, test-native). Arrays are vectors of exactly the right
// size, so that AddressSanitizer sees every access beyond them.
#pragma once

#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/bfloat16.h"
#include "xla/ffi/api/ffi.h"

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                \
    }                                                                              \
  } while (false)

namespace hornbeam::testing {

// Threads behind the C interface through which kernels see XLA's pool.
class Pool {
 public:
  explicit Pool(int threads) : size_(threads) {
    api_.XLA_FFI_ThreadPool_Schedule = schedule;
    api_.XLA_FFI_ThreadPool_NumThreads = num_threads;
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    work();  // a pool without threads has tasks left
  }

  xla::ffi::ThreadPool view() {
    auto* context = reinterpret_cast<XLA_FFI_ExecutionContext*>(this);
    return *xla::ffi::CtxDecoding<xla::ffi::ThreadPool>::Decode(&api_, context, diagnostics_);
  }

 private:
  using Task = std::pair<XLA_FFI_Task*, void*>;

  static XLA_FFI_Error* schedule(XLA_FFI_ThreadPool_Schedule_Args* args) {
    Pool& pool = *reinterpret_cast<Pool*>(args->ctx);
    {
      std::lock_guard<std::mutex> lock(pool.mutex_);
      pool.tasks_.emplace_back(args->task, args->data);
    }
    pool.ready_.notify_one();
    return nullptr;
  }
  static XLA_FFI_Error* num_threads(XLA_FFI_ThreadPool_NumThreads_Args* args) {
    *args->num_threads = reinterpret_cast<Pool*>(args->ctx)->size_;
    return nullptr;
  }

  // Tasks that are left when the pool ends are still run: their owners count on it to free them.
  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      ready_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const Task task = tasks_.front();
      tasks_.pop_front();
      lock.unlock();
      task.first(task.second);
      lock.lock();
    }
  }

  const int size_;
  XLA_FFI_Api api_{};
  xla::ffi::DiagnosticEngine diagnostics_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

using Floats = std::vector<float>;

// Numbers in [-1, 1) that are the same in every run.
inline Floats numbers(int64_t count, uint32_t seed) {
  Floats result(count);
  for (float& value : result) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / (1u << 23) - 1.0f;
  }
  return result;
}

inline std::vector<BFloat16> rounded(const Floats& values) {
  std::vector<BFloat16> result(values.size());
  for (size_t i = 0; i < values.size(); ++i) narrow(values[i], &result[i]);
  return result;
}

inline void expect_close(const Floats& actual, const Floats& expected) {
  CHECK(actual.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(std::fabs(actual[i] - expected[i]) <= 2e-4f * (1 + std::fabs(expected[i])));
  }
}

// fn(0) ... fn(count - 1), each on a thread of its own, at the same time.
inline void at_once(int count, const std::function<void(int)>& fn) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(fn, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace hornbeam::testing
