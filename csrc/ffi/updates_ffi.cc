// Handlers of updates.h. The arguments are (rate, decay), then for n variables n gradients, n values
// and n of each slot; the results are n values and n of each slot.
#include "updates.h"

#include "ffi/handlers.h"

namespace hornbeam::updates {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Flags = ffi::Span<const int32_t>;  // per variable: whether it decays

constexpr const char* kExpected =
    "rates (2,), then the gradients, values and slots of n variables in float32; results like the "
    "values and slots; n flags";

const float* rates_of(const Array& rates) {
  const bool fits = has_shape(rates, ffi::DataType::F32, {2});
  return fits ? static_cast<const float*>(rates.untyped_data()) : nullptr;
}

// Where the data of an array of that shape lies; `fits` becomes false where it has another one.
float* data_of(const Array& array, const Array& like, bool* fits) {
  const auto actual = array.dimensions(), expected = like.dimensions();
  *fits = *fits && array.element_type() == ffi::DataType::F32 &&
          std::equal(actual.begin(), actual.end(), expected.begin(), expected.end());
  return static_cast<float*>(array.untyped_data());
}

std::optional<Variables> variables_of(const ffi::RemainingArgs& args,
                                                  const ffi::RemainingRets& results, size_t slots,
                                                  Flags decayed, float decay) {
  const size_t n = decayed.size();
  if (args.size() != n * (2 + slots) || results.size() != n * (1 + slots)) return {};
  Variables variables(n);
  for (size_t i = 0; i < n; ++i) {
    Variable& v = variables[i];
    const Array first = *args.get<Array>(i);
    bool fits = true;
    v.size = first.element_count();
    v.gradient = data_of(first, first, &fits);
    v.value = data_of(*args.get<Array>(n + i), first, &fits);
    v.new_value = data_of(**results.get<Array>(i), first, &fits);
    for (size_t slot = 0; slot < slots; ++slot) {
      v.slots[slot] = data_of(*args.get<Array>(n * (2 + slot) + i), first, &fits);
      v.new_slots[slot] = data_of(**results.get<Array>(n * (1 + slot) + i), first, &fits);
    }
    v.decay = decayed[i] ? decay : 0;
    if (!fits) return {};
  }
  return variables;
}

ffi::Error sgd_handler(ffi::ThreadPool pool, Array rates, ffi::RemainingArgs args,
                       ffi::RemainingRets results, Flags decayed, int64_t slots, double momentum,
                       bool nesterov) {
  const float* rate = rates_of(rates);
  if (!rate || slots < 0 || slots > 1) return wrong_shape("update_sgd", kExpected);
  const auto variables = variables_of(args, results, slots, decayed, rate[1]);
  if (!variables) return wrong_shape("update_sgd", kExpected);
  if (slots == 0) return update(pool, Sgd{rate[0]}, *variables);
  return update(pool, Momentum{rate[0], static_cast<float>(momentum), nesterov}, *variables);
}

ffi::Error adam_handler(ffi::ThreadPool pool, Array rates, ffi::RemainingArgs args,
                        ffi::RemainingRets results, Flags decayed, int64_t slots, double beta_1,
                        double beta_2, double epsilon) {
  const float* rate = rates_of(rates);
  if (!rate || slots != 2) return wrong_shape("update_adam", kExpected);
  const auto variables = variables_of(args, results, slots, decayed, rate[1]);
  if (!variables) return wrong_shape("update_adam", kExpected);
  const auto share_1 = static_cast<float>(1 - beta_1), share_2 = static_cast<float>(1 - beta_2);
  return update(pool, Adam{rate[0], share_1, share_2, static_cast<float>(epsilon)}, *variables);
}

ffi::Error rmsprop_handler(ffi::ThreadPool pool, Array rates, ffi::RemainingArgs args,
                           ffi::RemainingRets results, Flags decayed, int64_t slots, double rho,
                           double momentum, double epsilon) {
  const float* rate = rates_of(rates);
  if (!rate || slots < 1 || slots > 2) return wrong_shape("update_rmsprop", kExpected);
  const auto variables = variables_of(args, results, slots, decayed, rate[1]);
  if (!variables) return wrong_shape("update_rmsprop", kExpected);
  const auto old = static_cast<float>(rho), share = static_cast<float>(1 - rho);
  const auto small = static_cast<float>(epsilon);
  if (slots == 1) return update(pool, RmsProp{rate[0], old, share, small}, *variables);
  const RmsPropMomentum rule{rate[0], old, share, small, static_cast<float>(momentum)};
  return update(pool, rule, *variables);
}

using ffi::Ffi;
XLA_FFI_DEFINE_HANDLER(kSgd, sgd_handler,
                       Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Array>()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<Flags>("decayed")
                           .Attr<int64_t>("slots")
                           .Attr<double>("momentum")
                           .Attr<bool>("nesterov"));
XLA_FFI_DEFINE_HANDLER(kAdam, adam_handler,
                       Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Array>()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<Flags>("decayed")
                           .Attr<int64_t>("slots")
                           .Attr<double>("beta_1")
                           .Attr<double>("beta_2")
                           .Attr<double>("epsilon"));
XLA_FFI_DEFINE_HANDLER(kRmsProp, rmsprop_handler,
                       Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Array>()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<Flags>("decayed")
                           .Attr<int64_t>("slots")
                           .Attr<double>("rho")
                           .Attr<double>("momentum")
                           .Attr<double>("epsilon"));

}  // namespace
}  // namespace hornbeam::updates

hornbeam::Handlers hornbeam::update_handlers() {
  return {{"hornbeam_update_sgd", updates::kSgd},
          {"hornbeam_update_adam", updates::kAdam},
          {"hornbeam_update_rmsprop", updates::kRmsProp}};
}
