// Stacked matrices, each transposed: images from channels first to channels last, and back.
#pragma once

#include <cstdint>

namespace fastml::nn {

// to[n][j][i] = from[n][i][j], for n < count, i < rows, j < cols. The arrays do not overlap.
template <class T>
void swap_axes(std::int64_t count, std::int64_t rows, std::int64_t cols, const T* from, T* to, int threads);

}  // namespace fastml::nn
