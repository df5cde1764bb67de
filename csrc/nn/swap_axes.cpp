#include "nn/swap_axes.hpp"

#include <algorithm>

namespace fastml::nn {
namespace {

// Side of the squares that are transposed at a time: rows of both fit into L1, and lines are used whole.
constexpr std::int64_t kBlock = 32;

template <class T>
void swap_block(std::int64_t rows, std::int64_t cols, const T* __restrict from, std::int64_t from_stride,
                T* __restrict to, std::int64_t to_stride) {
  if (rows == kBlock && cols == kBlock) {  // known to the compiler
    for (std::int64_t j = 0; j < kBlock; ++j) {
      for (std::int64_t i = 0; i < kBlock; ++i) to[j * to_stride + i] = from[i * from_stride + j];
    }
    return;
  }
  for (std::int64_t j = 0; j < cols; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) to[j * to_stride + i] = from[i * from_stride + j];
  }
}

}  // namespace

template <class T>
void swap_axes(std::int64_t count, std::int64_t rows, std::int64_t cols, const T* from, T* to, int threads) {
  const std::int64_t blocks = (cols + kBlock - 1) / kBlock, units = count * blocks;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const std::int64_t start = unit / blocks * rows * cols, j = unit % blocks * kBlock;
    const std::int64_t width = std::min(kBlock, cols - j);
    for (std::int64_t i = 0; i < rows; i += kBlock) {
      swap_block(std::min(kBlock, rows - i), width, from + start + i * cols + j, cols, to + start + j * rows + i, rows);
    }
  }
}

template void swap_axes(std::int64_t, std::int64_t, std::int64_t, const float*, float*, int);
template void swap_axes(std::int64_t, std::int64_t, std::int64_t, const double*, double*, int);
template void swap_axes(std::int64_t, std::int64_t, std::int64_t, const std::uint8_t*, std::uint8_t*, int);

}  // namespace fastml::nn
