// The Python module hornbeam.kernels._native: the handlers, and what was built.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "conv/conv.h"
#include "core/cpu.h"
#include "core/onednn.h"
#include "core/handlers.h"

namespace nb = nanobind;

NB_MODULE(_native, module) {
  module.def("targets", [] {
    nb::dict targets;
    for (const auto& handlers : {hornbeam::attention_handlers(), hornbeam::matmul_handlers(),
                                 hornbeam::bernoulli_handlers(), hornbeam::conv_handlers(),
                                 hornbeam::dense_handlers(), hornbeam::embedding_handlers(),
                                 hornbeam::normalization_handlers(), hornbeam::pool_handlers(),
                                 hornbeam::recurrent_handlers(), hornbeam::updates_handlers()}) {
      for (const auto& [name, handler] : handlers) {
        targets[name] = nb::capsule(reinterpret_cast<void*>(handler));
      }
    }
    return targets;
  });
  // What oneDNN would compute a convolution with: forward, input gradient, weight gradient.
  module.def(
      "conv_implementations",
      [](const std::string& type, const std::array<int64_t, 4>& x,
         const std::array<int64_t, 4>& kernel, int64_t stride, int64_t dilation, int64_t padding) {
        namespace conv = hornbeam::conv;
        if (kernel[2] < 1 || stride < 1 || dilation < 1) {
          throw nb::value_error(
              "conv_implementations: a kernel with channels, stride and dilation of 1 or more");
        }
        conv::Shape s = {};
        s.type = type == "bfloat16" ? hornbeam::Type::kBFloat16 : hornbeam::Type::kFloat32;
        s.b = x[0], s.h = x[1], s.w = x[2], s.c = x[3];
        s.kh = kernel[0], s.kw = kernel[1], s.groups = x[3] / kernel[2], s.f = kernel[3];
        s.stride = {stride, stride}, s.dilation = {dilation, dilation};
        s.before = s.after = {padding, padding};
        s.oh = conv::output_size(s.h, s.kh, stride, dilation, padding, padding);
        s.ow = conv::output_size(s.w, s.kw, stride, dilation, padding, padding);
        return conv::implementations(s);
      },
      nb::arg("dtype"), nb::arg("x"), nb::arg("kernel"), nb::arg("stride") = 1,
      nb::arg("dilation") = 1, nb::arg("padding") = 0);
  module.def("build_info", [] {
    nb::dict info;
    info["onednn"] = hornbeam::onednn::version();
    info["compiler"] = std::string(__VERSION__);
    info["cpu"] = hornbeam::cpu_features();
    return info;
  });
}
