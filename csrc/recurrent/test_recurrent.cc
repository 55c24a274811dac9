// LSTM and GRU over odd sizes: memory, repeatability, and gradients beside differences of values.
#include "recurrent/recurrent.h"

#include <cmath>
#include <cstring>

#include "core/testing.h"

namespace {

using hornbeam::Type;
using namespace hornbeam::testing;
using namespace hornbeam::recurrent;

enum class Cell { kLstm, kGru, kGruBefore };

struct Model {
  // With `words` above 0 each row of x is one of so many.
  Model(Cell cell, const Shape& shape, bool masked, int64_t words = 0)
      : cell(cell),
        shape(shape),
        k((cell == Cell::kLstm ? 4 : 3) * shape.u),
        x(numbers(shape.b * shape.t * shape.d, 1)),
        h0(numbers(shape.b * shape.u, 2)),
        c0(numbers(shape.b * shape.u, 3)),
        w(numbers(shape.d * k, 4)),
        u(numbers(shape.u * k, 5)),
        bias(numbers((cell == Cell::kGru ? 2 : 1) * k, 6)) {
    for (int64_t i = 0; masked && i < shape.b * shape.t; ++i) mask.push_back(i % 3 != 1);
    for (int64_t i = 0; words && i < shape.b * shape.t; ++i) {
      row_numbers.push_back(static_cast<int32_t>(i * i % words) - 1);
      for (int64_t j = 0; j < shape.d; ++j)
        x[i * shape.d + j] = std::sin(3.0f * row_numbers[i] + j);
    }
    for (auto* each : {&w, &u}) {
      for (float& value : *each) value *= 0.3f;
    }
  }

  Inputs inputs() const {
    return {x.data(),
            h0.data(),
            cell == Cell::kLstm ? c0.data() : nullptr,
            w.data(),
            u.data(),
            bias.data(),
            mask.empty() ? nullptr : mask.data(),
            row_numbers.empty() ? nullptr : row_numbers.data()};
  }
  int64_t saved() const { return cell == Cell::kGru ? 4 * shape.u : k; }

  // The sum of y and of the last states; what the gradient needs goes to `gates`, `cells` and `y`.
  double value(Pool& pool, Floats& y, Floats& gates, Floats& cells) {
    auto view = pool.view();
    const int64_t states = shape.b * shape.u;
    Floats h(states), c(states);
    y.assign(shape.t * states, 0);
    gates.assign(shape.t * shape.b * saved(), 0);
    cells.assign(cell == Cell::kLstm ? shape.t * states : 0, 0);
    const Outputs out{y.data(), h.data(), cell == Cell::kLstm ? c.data() : nullptr, gates.data(),
                      cell == Cell::kLstm ? cells.data() : nullptr};
    CHECK((cell == Cell::kLstm ? lstm_forward(view, shape, inputs(), out)
                               : gru_forward(view, shape, cell == Cell::kGru, inputs(), out))
              .success());
    Floats alone(states), alone_c(states);  // without saving, as prediction does
    const Outputs last{nullptr, alone.data(), cell == Cell::kLstm ? alone_c.data() : nullptr,
                       nullptr, nullptr};
    CHECK((cell == Cell::kLstm ? lstm_forward(view, shape, inputs(), last)
                               : gru_forward(view, shape, cell == Cell::kGru, inputs(), last))
              .success());
    double sum = 0;
    for (int64_t i = 0; i < states; ++i) {
      CHECK(std::fabs(h[i] - alone[i]) < 1e-5f);
      sum += h[i] + (cell == Cell::kLstm ? c[i] : 0);
    }
    for (float each : y) sum += each;
    return sum;
  }

  Cell cell;
  Shape shape;
  int64_t k;
  Floats x, h0, c0, w, u, bias;
  std::vector<uint8_t> mask;
  std::vector<int32_t> row_numbers;
};

struct Found {
  Floats dx, dh0, dc0, dw, du, d_bias;
};

Found gradients(Pool& pool, Model& model) {
  auto view = pool.view();
  const Shape& s = model.shape;
  Floats y, gates, cells;
  model.value(pool, y, gates, cells);
  Floats dy(y.size(), 1), dh(s.b * s.u, 1), dc(s.b * s.u, 1);
  Found f{Floats(model.x.size()), Floats(model.h0.size()), Floats(model.c0.size()),
          Floats(model.w.size()), Floats(model.u.size()),  Floats(model.bias.size())};
  const bool lstm = model.cell == Cell::kLstm;
  const Gradients g{y.data(),    gates.data(), lstm ? cells.data() : nullptr,
                    dy.data(),   dh.data(),    lstm ? dc.data() : nullptr,
                    f.dx.data(), f.dh0.data(), lstm ? f.dc0.data() : nullptr,
                    f.dw.data(), f.du.data(),  f.d_bias.data()};
  CHECK((lstm ? lstm_backward(view, s, model.inputs(), g)
              : gru_backward(view, s, model.cell == Cell::kGru, model.inputs(), g))
            .success());
  return f;
}

// The slope of the value along an array, from both sides of some of its elements.
void expect_slopes(Pool& pool, Model& model, Floats& array, const Floats& gradient) {
  Floats y, gates, cells;
  for (size_t i = 0; i < array.size(); i += 1 + array.size() / 7) {
    const float step = 0.02f, at = array[i];
    array[i] = at + step;
    const double above = model.value(pool, y, gates, cells);
    array[i] = at - step;
    const double below = model.value(pool, y, gates, cells);
    array[i] = at;
    const double slope = (above - below) / (2 * step);
    CHECK(std::fabs(slope - gradient[i]) < 0.02 * (1 + std::fabs(slope)));
  }
}

void check(Pool& pool, Cell cell, int64_t b, int64_t t, int64_t d, int64_t u, bool masked,
           bool backwards) {
  Model model(cell, Shape{Type::kFloat32, Type::kFloat32, b, t, d, u, backwards}, masked);
  const Found found = gradients(pool, model), again = gradients(pool, model);
  CHECK(std::memcmp(found.dw.data(), again.dw.data(), found.dw.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(found.du.data(), again.du.data(), found.du.size() * sizeof(float)) == 0);
  expect_slopes(pool, model, model.x, found.dx);
  expect_slopes(pool, model, model.h0, found.dh0);
  expect_slopes(pool, model, model.w, found.dw);
  expect_slopes(pool, model, model.u, found.du);
  expect_slopes(pool, model, model.bias, found.d_bias);
  if (cell == Cell::kLstm) expect_slopes(pool, model, model.c0, found.dc0);
}

// Rows that repeat, computed once, give what they give when each is taken for itself; dx as far as
// it is summed.
void check_repeated(Pool& pool, Cell cell, int64_t b, int64_t t, int64_t d, int64_t u,
                    int64_t words, bool masked) {
  Model model(cell, Shape{Type::kFloat32, Type::kFloat32, b, t, d, u, masked}, masked, words);
  const Found once = gradients(pool, model);
  const std::vector<int32_t> numbers = std::move(model.row_numbers);
  model.row_numbers.clear();
  const Found each = gradients(pool, model);
  expect_close(once.dw, each.dw);
  expect_close(once.du, each.du);
  expect_close(once.d_bias, each.d_bias);
  expect_close(once.dh0, each.dh0);
  Floats sums(words * d), expected(words * d);
  for (int64_t i = 0; i < b * t * d; ++i) {
    sums[(numbers[i / d] + 1) * d + i % d] += once.dx[i];
    expected[(numbers[i / d] + 1) * d + i % d] += each.dx[i];
  }
  expect_close(sums, expected);
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (Cell cell : {Cell::kLstm, Cell::kGru, Cell::kGruBefore}) {
      for (bool masked : {false, true}) {
        check(pool, cell, 1, 1, 3, 5, masked, false);
        check(pool, cell, 5, 4, 17, 16, masked, true);
        check(pool, cell, 33, 3, 16, 33, masked, false);
        check_repeated(pool, cell, 5, 7, 16, 16, 6, masked);
        check_repeated(pool, cell, 33, 9, 17, 33, 40, masked);
        check_repeated(pool, cell, 2, 3, 4, 5, 1000, masked);
      }
    }
  }
  Pool shared(2);
  at_once(4, [&](int number) {
    check(shared, number % 2 ? Cell::kLstm : Cell::kGru, 20, 5, 16, 16, number > 1, false);
  });
  std::puts("recurrent: passed");
}
