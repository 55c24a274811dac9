// Images of a convolution divided over threads, a few at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "conv/conv.h"

namespace hornbeam::conv {

using Chunk = std::function<void(int64_t begin, int64_t count)>;

// The slices that work on b images: at least one image each.
int64_t slices_of(const xla::ffi::ThreadPool& pool, const Shape& s);

// The images of a slice, so many at a time that what a chunk touches stays in the cache.
void for_chunks(const Shape& s, int64_t slice, int64_t slices, const Chunk& fn);

// The same, but a slice that is through takes chunks from the others' ends: a thread that comes
// late or runs slowly does less. For what is computed image by image: who takes a chunk differs
// from run to run, what it gives does not.
class Queue {
 public:
  Queue(const Shape& s, int64_t slices);
  void work(int64_t slice, const Chunk& fn);

 private:
  struct Range {
    int64_t begin, end;

    int64_t size() const { return end - begin; }
  };

  // The next one of its own, whose images the kernel before may have left in this core's cache; or
  // the last one of the slice that has most left; or -1.
  int64_t take(int64_t slice);

  int64_t images_, chunks_;
  std::mutex mutex_;
  std::vector<Range> left_;  // of each slice
};

}  // namespace hornbeam::conv
