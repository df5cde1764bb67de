#include <limits>

#include "nn/max_pooling_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::MemberView;
using nn::WindowView;

// Vectors of channels that go through a window together: its tables are then read once for all of them.
constexpr int kVectors = 4;

// Calls step(Width<N>{}, Width<Count>{}, c) for Count vectors of N channels from c on, until all channels have had theirs.
template <class T, class Step>
FASTML_INLINE void for_each_block(std::int64_t channels, const Step& step) {
  constexpr std::int64_t block = kVectors * kLanes<T>;
  std::int64_t c = 0;
  for (; c + block <= channels; c += block) step(Width<kLanes<T>>{}, Width<kVectors>{}, c);
  for_each_run<kLanes<T>>(
      channels, [&](auto lanes, std::int64_t i) __attribute__((always_inline)) { step(lanes, Width<1>{}, i); }, c);
}

// Numbers of another width, lane by lane. In steps of a factor of two: GCC 12 takes lanes out one by one otherwise.
template <int N, class To, class From>
FASTML_INLINE typename VectorOf<To, N>::type resized(typename VectorOf<From, N>::type v) {
  if constexpr (sizeof(To) == sizeof(From)) {
    return __builtin_convertvector(v, typename VectorOf<To, N>::type);
  } else if constexpr (sizeof(From) == 8 || sizeof(To) == 8) {
    using Half = std::int32_t;
    if constexpr (sizeof(From) == 8) {
      return resized<N, To, Half>(__builtin_convertvector(v, typename VectorOf<Half, N>::type));
    } else {
      return __builtin_convertvector(resized<N, Half, From>(v), typename VectorOf<To, N>::type);
    }
  } else {
    using Half = std::uint16_t;
    return __builtin_convertvector(__builtin_convertvector(v, typename VectorOf<Half, N>::type),
                                   typename VectorOf<To, N>::type);
  }
}

// A window's pixels in the image, and the numbers of its places.
struct Window {
  std::int64_t rows, cols;
  std::int64_t row_step, col_step;  // elements of the image
  std::int64_t place, row_places;
};

// The maxima of Count vectors of N channels. Rows and Cols are the window's, or 0 where they are not known.
template <int Rows, int Cols, int N, int Count, bool Noted, class T, class Place>
FASTML_INLINE void maxima(const Window& window, const T* pixel, T* y, Place* places) {
  using Lanes = typename VectorOf<T, N>::type;
  using Numbers = typename VectorOf<Integer<T>, N>::type;
  const std::int64_t rows = Rows ? Rows : window.rows, cols = Cols ? Cols : window.cols;
  Lanes most[Count];
  Numbers at[Count];
#pragma GCC unroll 4
  for (int v = 0; v < Count; ++v) {
    most[v] = -std::numeric_limits<T>::infinity() - Lanes{};
    at[v] = Integer<T>(window.place) - Numbers{};
  }
#pragma GCC unroll 2
  for (std::int64_t a = 0; a < rows; ++a) {
#pragma GCC unroll 2
    for (std::int64_t b = 0; b < cols; ++b) {
      const T* from = pixel + a * window.row_step + b * window.col_step;
      const Numbers here = Integer<T>(window.place + a * window.row_places + b) - Numbers{};
#pragma GCC unroll 4
      for (int v = 0; v < Count; ++v) {
        const Lanes value = load_run<N>(from + v * N);
        const Numbers wins = (value > most[v]) | (value != value);
        most[v] = wins ? value : most[v];
        if constexpr (Noted) at[v] = wins ? here : at[v];
      }
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < Count; ++v) {
    store_run<N>(y + v * N, most[v]);
    if constexpr (Noted) {
      store_run<N>(places + v * N, resized<N, Place, Integer<T>>(at[v]));
    }
  }
}

template <bool Noted, class T, class Place>
FASTML_INLINE void forward_row(const WindowView& down, std::int64_t row, const WindowView& across, std::int64_t columns,
                               std::int64_t out_width, std::int64_t channels, std::int64_t row_stride, const T* image,
                               T* y, Place* places) {
  image += down.begin[row] * row_stride;
  for (std::int64_t x = 0; x < out_width; ++x, y += channels, places += Noted ? channels : 0) {
    const T* pixel = image + across.begin[x] * channels;
    const Window window{down.count[row],
                        across.count[x],
                        down.step * row_stride,
                        across.step * channels,
                        down.place[row] * columns + across.place[x],
                        columns};
    for_each_block<T>(channels, [&](auto lanes, auto count, std::int64_t c) __attribute__((always_inline)) {
      constexpr int N = decltype(lanes)::value, Count = decltype(count)::value;
      if (window.rows == 2 && window.cols == 2) {
        maxima<2, 2, N, Count, Noted>(window, pixel + c, y + c, Noted ? places + c : places);
      } else {
        maxima<0, 0, N, Count, Noted>(window, pixel + c, y + c, Noted ? places + c : places);
      }
    });
  }
}

template <class T, class Place>
void forward(const WindowView& down, std::int64_t row, const WindowView& across, std::int64_t columns,
             std::int64_t out_width, std::int64_t channels, std::int64_t row_stride, const T* image, T* y,
             Place* places) {
  if (places == nullptr) {
    forward_row<false>(down, row, across, columns, out_width, channels, row_stride, image, y, places);
  } else {
    forward_row<true>(down, row, across, columns, out_width, channels, row_stride, image, y, places);
  }
}

template <class T, class Place>
void backward(const MemberView& down, std::int64_t row, const MemberView& across, std::int64_t columns,
              std::int64_t width, std::int64_t channels, std::int64_t row_stride, const T* dy, const Place* places,
              T* dx) {
  for (std::int64_t x = 0; x < width; ++x, dx += channels) {
    for_each_block<T>(channels, [&](auto lanes, auto count, std::int64_t c) __attribute__((always_inline)) {
      constexpr int N = decltype(lanes)::value, Count = decltype(count)::value;
      using Lanes = typename VectorOf<T, N>::type;
      using Numbers = typename VectorOf<Integer<T>, N>::type;
      Lanes sums[Count] = {};
      for (std::int64_t a = down.starts[row]; a < down.starts[row + 1]; ++a) {
        for (std::int64_t b = across.starts[x]; b < across.starts[x + 1]; ++b) {
          const std::int64_t from = down.window[a] * row_stride + across.window[b] * channels + c;
          const Integer<T> here = Integer<T>(down.place[a] * columns + across.place[b]);
#pragma GCC unroll 4
          for (int v = 0; v < Count; ++v) {
            const Numbers at = resized<N, Integer<T>, Place>(load_run<N>(places + from + v * N));
            sums[v] += at == here ? load_run<N>(dy + from + v * N) : Lanes{};
          }
        }
      }
#pragma GCC unroll 4
      for (int v = 0; v < Count; ++v) store_run<N>(dx + c + v * N, sums[v]);
    });
  }
}

template <class T, class Place>
constexpr nn::MaxPoolKernels<T, Place> kTable{forward<T, Place>, backward<T, Place>};

}  // namespace

extern const nn::MaxPoolTables max_pool_tables_of_level;
const nn::MaxPoolTables max_pool_tables_of_level{kTable<float, std::uint8_t>, kTable<double, std::uint8_t>,
                                                 kTable<float, std::int32_t>, kTable<double, std::int32_t>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
