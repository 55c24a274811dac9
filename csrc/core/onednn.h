// oneDNN, one thread at a time.
//
// Work is divided by `parallel_for`; within a slice oneDNN runs on the calling thread only. Each
// thread has its own engine, stream, scratch memory and cache of primitives, so nothing is locked.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "oneapi/dnnl/dnnl.hpp"

namespace hornbeam::onednn {

// What identifies a primitive: the name of the operation and every number that its making uses.
class Key {
 public:
  explicit Key(std::string operation) : bytes_(std::move(operation)) { bytes_.push_back('\0'); }

  Key& add(int64_t number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  Key& add(const dnnl::memory::dims& numbers) {
    add(static_cast<int64_t>(numbers.size()));
    for (int64_t number : numbers) add(number);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A primitive and the memories of its arguments, whose data is set anew at each run. It belongs to
// the thread that made it.
class Primitive {
 public:
  // `memories`: the descriptor of each argument, by its DNNL_ARG_ number. The attributes of
  // `description` must ask for a user scratchpad; `attributes()` gives such ones.
  Primitive(const dnnl::primitive_desc_base& description, const dnnl::primitive& primitive,
            std::initializer_list<std::pair<int, dnnl::memory::desc>> memories);

  void run(std::initializer_list<std::pair<int, const void*>> data);

  const std::string& implementation() const { return implementation_; }

  // The layout of an argument; where oneDNN was left to choose it, what it chose.
  dnnl::memory::desc layout(int argument) const { return arguments_.at(argument).get_desc(); }

 private:
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  size_t scratchpad_bytes_;
  std::string implementation_;
};

using Make = std::function<std::shared_ptr<Primitive>(const dnnl::engine&)>;

// This thread's primitive of that key; made by `make` where it is new or was long unused.
std::shared_ptr<Primitive> primitive(const Key& key, const Make& make);

// Attributes with a user scratchpad, to which post-ops may be added.
dnnl::primitive_attr attributes();

// At least so many bytes of this thread, aligned to 64; their content lasts until the next call
// with the same number. Number 0 is oneDNN's own scratchpad, 4 and 5 are those of core/tiles.cc;
// kernels use the others.
void* scratch(int number, size_t bytes);

// "3.2.0"
std::string version();

}  // namespace hornbeam::onednn
