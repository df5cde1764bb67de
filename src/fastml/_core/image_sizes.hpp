// Images as arrays: batch, rows, columns, channels.
#pragma once

#include <array>

#include "bindings.hpp"

namespace fastml {

// Down and across.
using Pair = std::array<std::int64_t, 2>;

template <class T>
Pair size_of(const Array<T>& x) {
  require(x.ndim() == 4, "expected NHWC images, of 4 dimensions");
  return {x.shape(1), x.shape(2)};
}

}  // namespace fastml
