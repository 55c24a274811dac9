#include "core/onednn.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <list>
#include <new>

#include "core/cpu.h"

namespace hornbeam::onednn {
namespace {

// Shapes met by one thread: all of a large model's layers, in training and in prediction.
constexpr size_t kPrimitives = 512;
constexpr size_t kScratches = 7;

// While one lives, OpenMP uses one thread for what this thread starts. The number is put back
// afterwards, because the thread may be the user's own and other libraries read it.
class SingleThreaded {
 public:
  SingleThreaded() : before_(functions().get()) { functions().set(1); }
  ~SingleThreaded() { functions().set(before_); }
  SingleThreaded(const SingleThreaded&) = delete;
  SingleThreaded& operator=(const SingleThreaded&) = delete;

 private:
  struct Functions {
    int (*get)() = [] { return 1; };
    void (*set)(int) = [](int) {};
  };

  // From the very library that oneDNN has loaded, whichever compiler built this file.
  static const Functions& functions() {
    static const Functions found = [] {
      Functions f;
      void* gomp = dlopen("libgomp.so.1", RTLD_LAZY | RTLD_NOLOAD);
      if (!gomp) return f;
      auto get = reinterpret_cast<int (*)()>(dlsym(gomp, "omp_get_max_threads"));
      auto set = reinterpret_cast<void (*)(int)>(dlsym(gomp, "omp_set_num_threads"));
      if (get && set) f = {get, set};
      return f;
    }();
    return found;
  }

  int before_;
};

struct Free {
  void operator()(void* p) const { std::free(p); }
};

struct Thread {
  using Entry = std::pair<std::string, std::shared_ptr<Primitive>>;

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::list<Entry> recent;  // the one used last comes first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key;
  std::array<std::unique_ptr<void, Free>, kScratches> scratch;
  std::array<size_t, kScratches> scratch_bytes{};
};

Thread& thread() {
  // Before oneDNN's first primitive; afterwards it would be refused.
  static const bool limited = cpu().limited && dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
  static_cast<void>(limited);
  thread_local Thread mine;
  return mine;
}

}  // namespace

Primitive::Primitive(const dnnl::primitive_desc_base& description, const dnnl::primitive& primitive,
                     std::initializer_list<std::pair<int, dnnl::memory::desc>> memories)
    : primitive_(primitive),
      scratchpad_bytes_(description.scratchpad_desc().get_size()),
      implementation_(description.impl_info_str()) {
  for (const auto& [argument, desc] : memories) {
    arguments_.emplace(argument, dnnl::memory(desc, thread().engine, DNNL_MEMORY_NONE));
  }
  if (scratchpad_bytes_) {
    arguments_.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(description.scratchpad_desc(),
                                                         thread().engine, DNNL_MEMORY_NONE));
  }
}

void Primitive::run(std::initializer_list<std::pair<int, const void*>> data) {
  SingleThreaded guard;
  for (const auto& [argument, pointer] : data) {
    arguments_.at(argument).set_data_handle(const_cast<void*>(pointer));
  }
  if (scratchpad_bytes_) {
    arguments_.at(DNNL_ARG_SCRATCHPAD).set_data_handle(scratch(0, scratchpad_bytes_));
  }
  primitive_.execute(thread().stream, arguments_);
}

std::shared_ptr<Primitive> primitive(const Key& key, const Make& make) {
  Thread& mine = thread();
  auto found = mine.by_key.find(key.bytes());
  if (found != mine.by_key.end()) {
    mine.recent.splice(mine.recent.begin(), mine.recent, found->second);
    return found->second->second;
  }
  SingleThreaded guard;  // oneDNN plans for as many threads as it sees here
  std::shared_ptr<Primitive> made = make(mine.engine);
  mine.recent.emplace_front(key.bytes(), made);
  mine.by_key.emplace(key.bytes(), mine.recent.begin());
  if (mine.recent.size() > kPrimitives) {
    mine.by_key.erase(mine.recent.back().first);
    mine.recent.pop_back();
  }
  return made;
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

void* scratch(int number, size_t bytes) {
  Thread& mine = thread();
  auto& block = mine.scratch.at(number);
  if (mine.scratch_bytes[number] < bytes) {
    const size_t rounded = (bytes + 4095) / 4096 * 4096;
    block.reset();  // before the new one, so that both are never held together
    mine.scratch_bytes[number] = 0;
    block.reset(std::aligned_alloc(64, rounded));
    if (!block) throw std::bad_alloc();
    mine.scratch_bytes[number] = rounded;
  }
  return block.get();
}

std::string version() {
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace hornbeam::onednn
