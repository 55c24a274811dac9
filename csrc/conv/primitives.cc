#include "conv/primitives.h"

#include <algorithm>

#include "conv/weights.h"

namespace hornbeam::conv {
namespace {

using dnnl::memory;
using Memories = std::initializer_list<std::pair<int, memory::desc>>;

// The kernel as Python has it, (kh, kw, c / g, f), in oneDNN's order of axes.
memory::desc plain_kernel(const Shape& s, memory::data_type type) {
  const int64_t inputs = s.c / s.groups, row = s.kw * inputs * s.f, column = inputs * s.f;
  if (s.groups == 1) return {{s.f, inputs, s.kh, s.kw}, type, {1, s.f, row, column}};
  const int64_t filters = s.f / s.groups;
  return {{s.groups, filters, inputs, s.kh, s.kw}, type, {filters, 1, s.f, row, column}};
}

memory::desc any_order(const memory::desc& plain) {
  return {plain.get_dims(), plain.get_data_type(), memory::format_tag::any};
}

// What a descriptor describes, as far as the ones of kernels differ.
std::string bytes_of(const memory::desc& desc) {
  std::string bytes;
  const auto add = [&](const memory::dims& numbers) {
    for (int64_t number : numbers) bytes += std::to_string(number) + ' ';
    bytes += ';';
  };
  add(desc.get_dims());
  add(desc.get_padded_dims());
  add(desc.get_strides());
  add(desc.get_inner_blks());
  add(desc.get_inner_idxs());
  add({static_cast<int64_t>(desc.get_data_type())});
  return bytes;
}

// Copy a kernel from one order to another; with `add`, onto what is there.
void reorder(const memory::desc& from, const void* source, const memory::desc& to, bool add,
             void* target) {
  const onednn::Key key((add ? "add " : "reorder ") + bytes_of(from) + bytes_of(to));
  auto primitive = onednn::primitive(key, [&](const dnnl::engine& engine) {
    dnnl::primitive_attr attr = onednn::attributes();
    if (add) {
      dnnl::post_ops sum;
      sum.append_sum(1);
      attr.set_post_ops(sum);
    }
    const dnnl::reorder::primitive_desc pd(engine, from, engine, to, attr);
    return std::make_shared<onednn::Primitive>(pd, dnnl::reorder(pd),
                                               Memories{{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  });
  primitive->run({{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}});
}

// The same of whole images. Only for a window that moves by ones.
Shape of_whole_images(const Plan& plan) {
  Shape s = plan.shape;
  s.h = plan.view.h;
  s.w = plan.view.w;
  return s;
}

// Each channel has a window of its own.
bool is_depthwise(const Shape& s) { return s.groups > 1 && s.groups == s.c && s.groups == s.f; }

// oneDNN may offer its way for any groups before the one for single channels: in bfloat16 that
// takes 1.4 to 1.8 times as long, with strides 70 times (32 x 32 x 32 x 64 on two cores: 28.9 ms
// against 0.4).
template <typename Make>
dnnl::convolution_backward_data::primitive_desc input_gradient_by(const Shape& s,
                                                                  const Make& make) {
  auto description = make();
  if (!is_depthwise(s)) return description;
  do {
    if (std::string(description.impl_info_str()).find("jit_dw") == 0) return description;
  } while (description.next_impl());
  return make();
}

// For larger windows, and those with gaps, oneDNN computes with 16 channels for each single one: 19
// ms against 2.3 for 5 x 5 on 32 x 32 x 32 x 64 in float32, 46 against 3.8 in bfloat16.
bool has_depthwise_gradient(const Shape& s) {
  return is_depthwise(s) && (s.kh > 3 || s.kw > 3 || s.dilation != Pair{1, 1});
}

loops::Depthwise depthwise(const Shape& s, int64_t n) {
  return {n,
          s.h,
          s.w,
          s.c,
          s.kh,
          s.kw,
          s.oh,
          s.ow,
          {s.stride[0], s.stride[1]},
          {s.dilation[0], s.dilation[1]},
          {s.before[0], s.before[1]}};
}

const float* floats(const void* data) { return static_cast<const float*>(data); }
float* floats(void* data) { return static_cast<float*>(data); }

}  // namespace

ImageConv::ImageConv(const Plan& plan) : plan_(plan), winograd_(of_whole_images(plan)) {}

std::shared_ptr<onednn::Primitive> ImageConv::primitive(Which which, int64_t n, bool bias) {
  const Shape& s = shape_;
  onednn::Key key("conv");
  key.add(which).add(static_cast<int64_t>(s.type)).add(bias);
  key.add({n, s.h, s.w, s.c, s.kh, s.kw, s.f, s.oh, s.ow, s.groups});
  for (const Pair& pair : {s.stride, s.dilation, s.before, s.after}) key.add({pair[0], pair[1]});
  return onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::data_type type = dnnl_type(s.type);
    const memory::desc x({n, s.c, s.h, s.w}, type, memory::format_tag::nhwc);
    const memory::desc y({n, s.f, s.oh, s.ow}, type, memory::format_tag::nhwc);
    const memory::desc kernel = any_order(plain_kernel(s, type));
    const memory::desc d_kernel = any_order(plain_kernel(s, memory::data_type::f32));
    memory::desc b;
    if (bias) b = {{s.f}, type, memory::format_tag::a};
    const memory::dims stride = {s.stride[0], s.stride[1]};
    const memory::dims dilation = {s.dilation[0] - 1, s.dilation[1] - 1};
    const memory::dims before = {s.before[0], s.before[1]}, after = {s.after[0], s.after[1]};
    const dnnl::primitive_attr attr = onednn::attributes();
    const auto direct = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc pd(engine, dnnl::prop_kind::forward_training,
                                                       direct, x, kernel, b, y, stride, dilation,
                                                       before, after, attr);
    if (which == kForward) {
      return std::make_shared<onednn::Primitive>(pd, dnnl::convolution_forward(pd),
                                                 Memories{{DNNL_ARG_SRC, x},
                                                          {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                                                          {DNNL_ARG_BIAS, b},
                                                          {DNNL_ARG_DST, y}});
    }
    if (which == kInput) {
      const auto back = input_gradient_by(s, [&] {
        return dnnl::convolution_backward_data::primitive_desc(engine, direct, x, kernel, y, stride,
                                                               dilation, before, after, pd, attr);
      });
      return std::make_shared<onednn::Primitive>(back, dnnl::convolution_backward_data(back),
                                                 Memories{{DNNL_ARG_DIFF_SRC, x},
                                                          {DNNL_ARG_WEIGHTS, back.weights_desc()},
                                                          {DNNL_ARG_DIFF_DST, y}});
    }
    const dnnl::convolution_backward_weights::primitive_desc back(
        engine, direct, x, d_kernel, y, stride, dilation, before, after, pd, attr);
    return std::make_shared<onednn::Primitive>(
        back, dnnl::convolution_backward_weights(back),
        Memories{{DNNL_ARG_SRC, x},
                 {DNNL_ARG_DIFF_WEIGHTS, back.diff_weights_desc()},
                 {DNNL_ARG_DIFF_DST, y}});
  });
}

const void* ImageConv::ordered(const onednn::Primitive& primitive, const void* kernel) {
  const memory::desc wanted = primitive.layout(DNNL_ARG_WEIGHTS);
  if (!ordered_ || wanted != ordered_as_) {
    const memory::desc plain = plain_kernel(shape_, dnnl_type(shape_.type));
    if (wanted == plain) return kernel;
    void* buffer = onednn::scratch(kScratchKernel, wanted.get_size());
    reorder(plain, kernel, wanted, false, buffer);
    ordered_as_ = wanted;
    ordered_ = buffer;
  }
  return ordered_;
}

const void* ImageConv::part_of(int64_t n, const void* x) const {
  if (plan_.view.whole()) return x;
  void* part = onednn::scratch(kScratchX, n * plan_.view.size() * size_of(shape_.type));
  plan_.view.gather(shape_.type, n, x, part);
  return part;
}

// What Winograd's convolution left undone, because something is not finite, is computed directly:
// NaN and infinity spread as they do there.

void ImageConv::forward(int64_t n, const void* x, const void* kernel, const void* bias, void* y) {
  if (winograd_.suits_forward() &&
      winograd_.forward(n, floats(x), floats(kernel), floats(bias), floats(y)))
    return;
  direct_forward(n, x, kernel, bias, y);
}

void ImageConv::pool_forward(int64_t n, const void* x, const void* kernel, const void* bias,
                             void* y, uint8_t* argmax) {
  if (winograd_.suits_forward() &&
      winograd_.pool_forward(n, floats(x), floats(kernel), floats(bias), floats(y), argmax)) {
    return;
  }
  const Shape& s = shape_;
  void* z = onednn::scratch(kScratchY, n * s.oh * s.ow * s.f * size_of(s.type));
  direct_forward(n, x, kernel, bias, z);
  typed(s.type, [&](auto* kind) {
    using T = std::remove_pointer_t<decltype(kind)>;
    loops::relu_pool(pooled(s, n), static_cast<const T*>(z), static_cast<T*>(y), argmax);
  });
}

void ImageConv::direct_forward(int64_t n, const void* x, const void* kernel, const void* bias,
                               void* y) {
  // In training the memory has long left the cache when it is written again.
  fetch(y, n * shape_.oh * shape_.ow * shape_.f * size_of(shape_.type));
  const auto conv = primitive(kForward, n, bias != nullptr);
  conv->run({{DNNL_ARG_SRC, part_of(n, x)},
             {DNNL_ARG_WEIGHTS, ordered(*conv, kernel)},
             {DNNL_ARG_BIAS, bias},
             {DNNL_ARG_DST, y}});
}

void ImageConv::input_gradient(int64_t n, const void* dy, const void* kernel, void* dx) {
  if (winograd_.suits_input_gradient() &&
      winograd_.input_gradient(n, floats(dy), floats(kernel), floats(dx)))
    return;
  const View& view = plan_.view;
  void* part =
      view.whole() ? dx : onednn::scratch(kScratchX, n * view.size() * size_of(shape_.type));
  const auto conv = primitive(kInput, n, false);
  conv->run({{DNNL_ARG_DIFF_DST, dy},
             {DNNL_ARG_WEIGHTS, ordered(*conv, kernel)},
             {DNNL_ARG_DIFF_SRC, part}});
  if (!view.whole()) view.scatter(shape_.type, n, part, dx);
}

void ImageConv::weight_gradient(int64_t n, const void* x, const void* dy, bool add,
                                float* d_kernel) {
  if (winograd_.suits_weight_gradient() &&
      winograd_.weight_gradient(n, floats(x), floats(dy), add, d_kernel))
    return;
  const Shape& s = shape_;
  const void* part = part_of(n, x);
  const bool in_pairs = has_weight_gradient(s), by_channels = has_depthwise_gradient(s);
  if (!add && (in_pairs || by_channels)) std::fill_n(d_kernel, s.kernel_size(), 0.0f);
  if (in_pairs) {
    return add_weight_gradient(s, n, static_cast<const BFloat16*>(part),
                               static_cast<const BFloat16*>(dy), d_kernel);
  }
  if (by_channels) {
    return typed(s.type, [&](auto* kind) {
      using T = std::remove_pointer_t<decltype(kind)>;
      loops::add_depthwise_gradient(depthwise(s, n), static_cast<const T*>(part),
                                    static_cast<const T*>(dy), d_kernel);
    });
  }
  const auto conv = primitive(kWeights, n, false);
  const memory::desc given = conv->layout(DNNL_ARG_DIFF_WEIGHTS);
  const memory::desc plain = plain_kernel(shape_, memory::data_type::f32);
  const bool direct = !add && given == plain;
  void* buffer = direct ? d_kernel : onednn::scratch(kScratchKernel, given.get_size());
  conv->run({{DNNL_ARG_SRC, part}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_WEIGHTS, buffer}});
  if (!direct) reorder(given, buffer, plain, add, d_kernel);
}

std::string ImageConv::implementation(int64_t n, int which) {
  return primitive(static_cast<Which>(which), n, which == kForward)->implementation();
}

}  // namespace hornbeam::conv
