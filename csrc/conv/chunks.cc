#include "conv/chunks.h"

#include <algorithm>

#include "core/divide.h"
#include "core/parallel.h"

namespace hornbeam::conv {
namespace {

// Of the 1 MB or more of level 2 cache that a core has; the kernel lies there as well.
constexpr int64_t kChunkBytes = 768 * 1024;

// What slices take from a queue: small enough that all end at about the same time, and at least
// some 20 us of work.
constexpr int64_t kChunksPerSlice = 16;
constexpr int64_t kChunkOperations = 2'000'000;

int64_t operations(const Shape& s) {
  return 2 * s.b * s.oh * s.ow * s.f * (s.c / s.groups) * s.kh * s.kw;
}

int64_t most_images(const Shape& s) {
  const int64_t image = (s.h * s.w * s.c + s.oh * s.ow * s.f) * size_of(s.type);
  // A kernel larger than the cache is read again for each chunk; it pays with more images.
  const int64_t bytes = std::max(kChunkBytes, s.kernel_size() * size_of(s.type));
  return std::max<int64_t>(1, bytes / image);
}

}  // namespace

int64_t slices_of(const xla::ffi::ThreadPool& pool, const Shape& s) {
  return std::min(slice_count(pool, operations(s)), s.b);
}

void for_chunks(const Shape& s, int64_t slice, int64_t slices, const Chunk& fn) {
  const int64_t begin = slice_begin(slice, slices, s.b, 1);
  const int64_t end = slice_begin(slice + 1, slices, s.b, 1);
  for_parts(end - begin, most_images(s), 1,
            [&](int64_t from, int64_t to) { fn(begin + from, to - from); });
}

Queue::Queue(const Shape& s, int64_t slices) : images_(s.b) {
  const int64_t fewest = divided_up(kChunkOperations * s.b, std::max<int64_t>(1, operations(s)));
  const int64_t shared = std::max(divided_up(s.b, kChunksPerSlice * slices), fewest);
  chunks_ = divided_up(s.b, std::min(slices == 1 ? s.b : shared, most_images(s)));
  for (int64_t slice = 0; slice < slices; ++slice) {
    left_.push_back(
        {slice_begin(slice, slices, chunks_, 1), slice_begin(slice + 1, slices, chunks_, 1)});
  }
}

void Queue::work(int64_t slice, const Chunk& fn) {
  for (int64_t chunk; (chunk = take(slice)) >= 0;) {
    const int64_t begin = slice_begin(chunk, chunks_, images_, 1);
    fn(begin, slice_begin(chunk + 1, chunks_, images_, 1) - begin);
  }
}

int64_t Queue::take(int64_t slice) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (left_[slice].size() > 0) return left_[slice].begin++;
  const auto fewer = [](const Range& a, const Range& b) { return a.size() < b.size(); };
  Range& other = *std::max_element(left_.begin(), left_.end(), fewer);
  return other.size() > 0 ? --other.end : -1;
}

}  // namespace hornbeam::conv
