// The sum of two arrays: what a shortcut adds, and what gathers where a value was used twice.
#pragma once

#include <cstdint>

namespace fastml::nn {

// to = x + y, of n elements each. `to` may be x or y.
template <class T>
void add(std::int64_t n, const T* x, const T* y, T* to, int threads);

}  // namespace fastml::nn
