// The nearest of given distances: metric="precomputed".
#pragma once

#include <cstdint>

#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::neighbors {

// given: queries x fitted rows, without NaN. The k least of each row, 1 <= k <= cols, by (distance, index), to `distances` and
// `indices`: queries x k, row-major. Returns false when stopped; the output is then not to be used.
template <class T>
bool nearest_given(const Rows<const T>& given, std::int64_t k, int threads, StopCheck stop, T* distances,
                   std::int64_t* indices);

}  // namespace fastml::neighbors
