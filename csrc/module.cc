// The Python module hornbeam.kernels._native: the handlers, and what was built.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "core/cpu.h"
#include "core/onednn.h"
#include "ffi/handlers.h"

namespace nb = nanobind;

NB_MODULE(_native, module) {
  module.def("targets", [] {
    nb::dict targets;
    for (const auto& handlers : {hornbeam::dense_handlers(), hornbeam::embedding_handlers(),
                                 hornbeam::recurrent_handlers()}) {
      for (const auto& [name, handler] : handlers) {
        targets[name] = nb::capsule(reinterpret_cast<void*>(handler));
      }
    }
    return targets;
  });
  module.def("build_info", [] {
    nb::dict info;
    info["onednn"] = hornbeam::onednn::version();
    info["compiler"] = std::string(__VERSION__);
    info["cpu"] = hornbeam::cpu_features();
    return info;
  });
}
