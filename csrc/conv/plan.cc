#include "conv/plan.h"

#include <algorithm>
#include <cstring>

namespace hornbeam::conv {

void View::gather(Type type, int64_t n, const void* x, void* part) const {
  copy(type, n, const_cast<void*>(x), part, false);
}

void View::scatter(Type type, int64_t n, const void* part, void* x) const {
  std::memset(x, 0, n * whole_size() * size_of(type));
  copy(type, n, x, const_cast<void*>(part), true);
}

void View::copy(Type type, int64_t n, void* x, void* part, bool back) const {
  const int64_t run = step[1] == 1 ? columns : 1;  // neighbours are copied at once
  for (int64_t line = 0; line < n * rows; ++line) {
    const int64_t image = line / rows, row = line % rows * step[0];
    for (int64_t column = 0; column < columns; column += run) {
      char* whole = at(x, ((image * h + row) * w + column * step[1]) * c, type);
      char* own = at(part, (line * columns + column) * c, type);
      std::memcpy(back ? whole : own, back ? own : whole, run * c * size_of(type));
    }
  }
}

Plan plan(const Shape& shape, bool pooled) {
  Shape s = shape;
  View view = {s.h, s.w, s.h, s.w, s.c, {1, 1}};
  const bool point = s.kh == 1 && s.kw == 1 && s.groups == 1;
  for (int axis : {0, 1}) {
    int64_t& size = axis ? s.w : s.h;
    int64_t& out = axis ? s.ow : s.oh;
    int64_t& part = axis ? view.columns : view.rows;
    if (s.after[axis] < 0) {
      part += s.after[axis];
      s.after[axis] = 0;
    }
    if (pooled && out % 2) {
      --out;
      const int64_t reach = ((axis ? s.kw : s.kh) - 1) * s.dilation[axis] + 1;
      const int64_t end = (out - 1) * s.stride[axis] + reach - s.before[axis];
      s.after[axis] = std::max<int64_t>(0, end - part);
      part = std::min(part, end);
    }
    if (point && s.stride[axis] > 1 && s.before[axis] == 0 && s.after[axis] == 0) {
      view.step[axis] = s.stride[axis];
      s.stride[axis] = 1;
      part = out;
    }
    size = part;
  }
  return {s, view};
}

}  // namespace hornbeam::conv
