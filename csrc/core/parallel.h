// Work divided over XLA's own threads.
#pragma once

#include <cstdint>
#include <functional>

#include "core/divide.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam {

using Slice = std::function<void(int64_t slice)>;

// Call fn(0) ... fn(slices - 1), on this thread and on idle ones of the pool.
//
// Slices are claimed from a counter, by this thread too, which therefore never waits for one that
// nobody has begun: calls may nest, and a pool that is busy or empty only makes it slower. An
// exception in a slice becomes the error that is returned; the slices not yet begun are dropped.
xla::ffi::Error parallel_for(xla::ffi::ThreadPool& pool, int64_t slices, const Slice& fn);

// How many slices to make of work of so many operations: one per thread of the pool, fewer where a
// slice would take less time than waking a thread. It depends on nothing else, so that sums taken
// slice by slice are the same bits in every run.
int64_t slice_count(const xla::ffi::ThreadPool& pool, int64_t operations);

// The first item of a slice, when `items` are dealt out in multiples of `grain`.
int64_t slice_begin(int64_t slice, int64_t slices, int64_t items, int64_t grain);

// fn(begin, end) for all items, one after another in parts of about the same size, multiples of
// `grain` but the last, none empty nor of more than `most` items rounded up to a multiple of
// `grain`.
template <typename Fn>
void for_parts(int64_t items, int64_t most, int64_t grain, const Fn& fn) {
  const int64_t parts = divided_up(items, round_up(most, grain));
  for (int64_t part = 0; part < parts; ++part) {
    fn(slice_begin(part, parts, items, grain), slice_begin(part + 1, parts, items, grain));
  }
}

// fn() with exceptions turned into errors: nothing may be thrown into XLA.
xla::ffi::Error guarded(const std::function<xla::ffi::Error()>& fn);

}  // namespace hornbeam
