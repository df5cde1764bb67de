#include "nn/resampling_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::TapView;

// Vectors of channels that go through a window together: its tables are then read once for all of them.
constexpr int kVectors = 4;

// One pixel of the result. Each row of the window is summed first: the rounding of large windows then grows with their
// rows and columns, not with their product.
template <class T>
struct Window {
  const TapView<T>& down;
  const TapView<T>& across;
  std::int64_t first_row, last_row, first_col, last_col;
  std::int64_t row_stride, channels;
  T divisor;

  // Count vectors of N channels, from `image` on.
  template <int N, int Count>
  FASTML_INLINE void sum(const T* image, T* y) const {
    using Lanes = typename VectorOf<T, N>::type;
    Lanes sums[Count] = {};
    for (std::int64_t a = first_row; a < last_row; ++a) {
      const T* row = image + down.index[a] * row_stride;
      Lanes row_sums[Count] = {};
      for (std::int64_t b = first_col; b < last_col; ++b) {
        const T* pixel = row + across.index[b] * channels;
        const T weight = across.weight[b];
#pragma GCC unroll 4
        for (int v = 0; v < Count; ++v) row_sums[v] += load_run<N>(pixel + v * N) * weight;
      }
      const T weight = down.weight[a];
#pragma GCC unroll 4
      for (int v = 0; v < Count; ++v) sums[v] += row_sums[v] * weight;
    }
    if (divisor != T(1)) {
#pragma GCC unroll 4
      for (int v = 0; v < Count; ++v) sums[v] /= divisor;
    }
#pragma GCC unroll 4
    for (int v = 0; v < Count; ++v) store_run<N>(y + v * N, sums[v]);
  }
};

template <class T>
void resample_row(const TapView<T>& down, std::int64_t row, const TapView<T>& across, std::int64_t out_width,
                  std::int64_t channels, std::int64_t row_stride, const T* image, T* y) {
  constexpr std::int64_t block = kVectors * kLanes<T>;
  for (std::int64_t x = 0; x < out_width; ++x, y += channels) {
    const Window<T> window{down,
                           across,
                           down.starts[row],
                           down.starts[row + 1],
                           across.starts[x],
                           across.starts[x + 1],
                           row_stride,
                           channels,
                           down.divisor[row] * across.divisor[x]};
    std::int64_t c = 0;
    for (; c + block <= channels; c += block) window.template sum<kLanes<T>, kVectors>(image + c, y + c);
    for_each_run<kLanes<T>>(
        channels,
        [&](auto width, std::int64_t i)
            __attribute__((always_inline)) { window.template sum<decltype(width)::value, 1>(image + i, y + i); },
        c);
  }
}

}  // namespace

extern const nn::ResamplingTables resampling_tables_of_level;
const nn::ResamplingTables resampling_tables_of_level{{resample_row<float>}, {resample_row<double>}};

}  // namespace FASTML_LEVEL
}  // namespace fastml
