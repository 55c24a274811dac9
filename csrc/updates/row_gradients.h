// Gradients of tables whose rows were looked up, made block by block for the step of an optimizer:
// the whole of it, which is mostly zeros, is never in memory.
#pragma once

#include <cstdint>
#include <functional>

#include "updates/updates.h"

namespace hornbeam::updates {

// Call fn with elements `begin` to `end` of a variable that has `rows`, one stretch after the
// other, each as a variable with a dense gradient. It uses scratch memory 1 to 3 of the calling
// thread.
void for_each_block(const Variable& variable, int64_t begin, int64_t end,
                    const std::function<void(const Variable& block)>& fn);

}  // namespace hornbeam::updates
