// Handlers of updates.h. The arguments are (rate, decay), then for n variables n gradients, n
// values and n of each slot; the results are n values and n of each slot. Where `by_rows` says so,
// (indices, dy) take the place of the gradient.
#include "updates/updates.h"

#include "core/parallel.h"
#include "embedding/embedding.h"
#include "core/handlers.h"

namespace hornbeam::updates {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Flags = ffi::Span<const int32_t>;  // one per variable

constexpr const char* kExpected =
    "rates (2,), then the gradients, values and slots of n variables in float32; results like the "
    "values and slots; n flags; by rows: indices (m,) int32, m < 2^31, and dy (m, d) for a value "
    "(n, d)";

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

// The gradient of a table of that shape; nothing where the arrays don't fit it.
std::optional<RowGradient> row_gradient(const Array& indices, const Array& dy, const Array& table) {
  const auto type = type_of(dy.element_type());
  if (!type || dy.dimensions().size() != 2 || table.dimensions().size() != 2) return {};
  const int64_t m = dy.dimensions()[0], d = dy.dimensions()[1];
  const bool fits = d >= 1 && table.dimensions()[1] == d && has_shape(indices, ffi::S32, {m}) &&
                    embedding::countable(m);
  if (!fits) return {};
  return RowGradient{*type, m, d, static_cast<const int32_t*>(indices.untyped_data()),
                     dy.untyped_data()};
}

std::optional<Variables> variables_of(const ffi::RemainingArgs& args,
                                      const ffi::RemainingRets& results, size_t slots,
                                      Flags decayed, float decay, Flags by_rows) {
  const size_t n = decayed.size();
  if (by_rows.size() != n) return {};
  const size_t values =
      n + std::count_if(by_rows.begin(), by_rows.end(), [](int32_t f) { return f; });
  if (args.size() != values + n * (1 + slots) || results.size() != n * (1 + slots)) return {};
  Variables variables(n);
  size_t gradient = 0;
  for (size_t i = 0; i < n; ++i) {
    Variable& v = variables[i];
    const Array value = *args.get<Array>(values + i);
    bool fits = true;
    v.size = value.element_count();
    v.value = data_of(value, value, &fits);
    v.new_value = data_of(**results.get<Array>(i), value, &fits);
    const Array first = *args.get<Array>(gradient++);
    if (by_rows[i]) {
      v.rows = row_gradient(first, *args.get<Array>(gradient++), value);
      fits = fits && v.rows;
    } else {
      v.gradient = data_of(first, value, &fits);
    }
    for (size_t slot = 0; slot < slots; ++slot) {
      v.slots[slot] = data_of(*args.get<Array>(values + n * (1 + slot) + i), value, &fits);
      v.new_slots[slot] = data_of(**results.get<Array>(n * (1 + slot) + i), value, &fits);
    }
    v.decay = decayed[i] ? decay : 0;
    if (!fits) return {};
  }
  return variables;
}

ffi::Error sgd_handler(ffi::ThreadPool pool, Array rates, ffi::RemainingArgs args,
                       ffi::RemainingRets results, Flags decayed, Flags by_rows, int64_t slots,
                       double momentum, bool nesterov) {
  return guarded([&] {
    const float* rate = rates_of(rates);
    if (!rate || slots < 0 || slots > 1) return wrong_shape("update_sgd", kExpected);
    const auto variables = variables_of(args, results, slots, decayed, rate[1], by_rows);
    if (!variables) return wrong_shape("update_sgd", kExpected);
    if (slots == 0) return update(pool, Sgd{rate[0]}, *variables);
    return update(pool, Momentum{rate[0], static_cast<float>(momentum), nesterov}, *variables);
  });
}

ffi::Error adam_handler(ffi::ThreadPool pool, Array rates, ffi::RemainingArgs args,
                        ffi::RemainingRets results, Flags decayed, Flags by_rows, int64_t slots,
                        double beta_1, double beta_2, double epsilon) {
  return guarded([&] {
    const float* rate = rates_of(rates);
    if (!rate || slots != 2) return wrong_shape("update_adam", kExpected);
    const auto variables = variables_of(args, results, slots, decayed, rate[1], by_rows);
    if (!variables) return wrong_shape("update_adam", kExpected);
    const auto share_1 = static_cast<float>(1 - beta_1), share_2 = static_cast<float>(1 - beta_2);
    return update(pool, Adam{rate[0], share_1, share_2, static_cast<float>(epsilon)}, *variables);
  });
}

ffi::Error rmsprop_handler(ffi::ThreadPool pool, Array rates, ffi::RemainingArgs args,
                           ffi::RemainingRets results, Flags decayed, Flags by_rows, int64_t slots,
                           double rho, double momentum, double epsilon) {
  return guarded([&] {
    const float* rate = rates_of(rates);
    if (!rate || slots < 1 || slots > 2) return wrong_shape("update_rmsprop", kExpected);
    const auto variables = variables_of(args, results, slots, decayed, rate[1], by_rows);
    if (!variables) return wrong_shape("update_rmsprop", kExpected);
    const auto old = static_cast<float>(rho), share = static_cast<float>(1 - rho);
    const auto small = static_cast<float>(epsilon);
    if (slots == 1) return update(pool, RmsProp{rate[0], old, share, small}, *variables);
    const RmsPropMomentum rule{rate[0], old, share, small, static_cast<float>(momentum)};
    return update(pool, rule, *variables);
  });
}

XLA_FFI_DEFINE_HANDLER(kSgd, sgd_handler,
                       takes<1>()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<Flags>("decayed")
                           .Attr<Flags>("by_rows")
                           .Attr<int64_t>("slots")
                           .Attr<double>("momentum")
                           .Attr<bool>("nesterov"));
XLA_FFI_DEFINE_HANDLER(kAdam, adam_handler,
                       takes<1>()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<Flags>("decayed")
                           .Attr<Flags>("by_rows")
                           .Attr<int64_t>("slots")
                           .Attr<double>("beta_1")
                           .Attr<double>("beta_2")
                           .Attr<double>("epsilon"));
XLA_FFI_DEFINE_HANDLER(kRmsProp, rmsprop_handler,
                       takes<1>()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<Flags>("decayed")
                           .Attr<Flags>("by_rows")
                           .Attr<int64_t>("slots")
                           .Attr<double>("rho")
                           .Attr<double>("momentum")
                           .Attr<double>("epsilon"));

}  // namespace
}  // namespace hornbeam::updates

hornbeam::Handlers hornbeam::updates_handlers() {
  return {{"hornbeam_update_sgd", updates::kSgd},
          {"hornbeam_update_adam", updates::kAdam},
          {"hornbeam_update_rmsprop", updates::kRmsProp}};
}
