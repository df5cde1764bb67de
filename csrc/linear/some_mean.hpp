// What columns are shifted by before they are summed: any number close to the mean does.
#pragma once

#include <algorithm>
#include <cstdint>

#include "linear/tuning.hpp"

namespace fastml::linear {

// The mean of some values that lie evenly among `count`, at a distance of `stride`. Equal values give that value.
template <class T>
double some_mean(const T* values, std::int64_t count, std::int64_t stride) {
  const std::int64_t step = std::max<std::int64_t>(count / kShiftRows, 1);
  const double first = values[0];
  double sum = 0;
  std::int64_t taken = 0;
  for (std::int64_t i = 0; i < count; i += step, ++taken) sum += double(values[i * stride]) - first;
  return first + sum / double(taken);
}

}  // namespace fastml::linear
