// Arrays laid one after the other into a piece of scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/divide.h"

namespace hornbeam {

// Without memory it only counts `bytes`, so that the same function can first measure and then cut.
class Arena {
 public:
  explicit Arena(void* memory = nullptr) : memory_(static_cast<char*>(memory)) {}

  template <typename T>
  T* take(int64_t count) {
    char* at = memory_ + bytes_;
    bytes_ += round_up(count * sizeof(T), 64);
    return reinterpret_cast<T*>(at);
  }
  size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  size_t bytes_ = 0;
};

}  // namespace hornbeam
