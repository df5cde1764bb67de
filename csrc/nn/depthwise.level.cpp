#include "nn/depthwise_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::DepthwiseKernels;
using nn::DepthwiseRow;
using nn::RowEpilogue;

template <class T, int N>
using Lanes = typename VectorOf<T, N>::type;

// Neighbouring results of a tile: their sums, the weights of a row of the window and a pixel stay in registers, of
// which the smallest register file has 16.
constexpr int kTile = 8;

// Results of a tile where the window's width is not known to the compiler.
constexpr int kLooseTile = 4;

// Of `kernel` places, `step` apart and the first at `start`, those in [0, size).
struct Inside {
  std::int64_t begin, end;

  FASTML_INLINE Inside(std::int64_t start, std::int64_t step, std::int64_t kernel, std::int64_t size) {
    begin = start >= 0 ? 0 : (-start + step - 1) / step;
    end = start >= size ? 0 : (size - start + step - 1) / step;
    if (end > kernel) end = kernel;
    if (begin > end) begin = end;
  }
};

template <int N, class T>
FASTML_INLINE Lanes<T, N> filled(T x) {
  return x - Lanes<T, N>{};
}

// What the sums of P results begin with, `at` being where the first of them will lie.
template <int P, int N, class T>
FASTML_INLINE void begin_sums(const RowEpilogue<T>& epilogue, std::int64_t slot, std::int64_t at, std::int64_t stride,
                              Lanes<T, N> (&sums)[P]) {
  const Lanes<T, N> bias = epilogue.bias == nullptr ? Lanes<T, N>{} : load_run<N>(epilogue.bias + slot * N);
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) sums[p] = bias;
  if (epilogue.more == nullptr) return;
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p, at += stride) sums[p] += load_run<N>(epilogue.more + at);
}

template <int P, int N, class T>
FASTML_INLINE void store_sums(const RowEpilogue<T>& epilogue, const Lanes<T, N> (&sums)[P], T* to,
                              std::int64_t stride) {
  const Lanes<T, N> least = filled<N>(epilogue.floor);
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p, to += stride) store_run<N>(to, sums[p] < least ? least : sums[p]);  // NaN stays
}

// Tiles of P results whose windows are KW wide and S apart, without gaps in them: KW and S are known, so that each
// pixel is loaded once.
template <int P, int KW, int S>
struct Tile {
  static constexpr int kColumns = (P - 1) * S + KW;

  // Calls meet(k, pixel) for the columns k of a tile that lie in the image; `at` is where column 0 would be.
  template <class T, class Meet>
  static FASTML_INLINE void for_each_column(const T* image, std::int64_t at, std::int64_t channels,
                                            const Inside& columns, const Meet& meet) {
    const int begin = int(columns.begin);
    const unsigned count = unsigned(columns.end - columns.begin);
#pragma GCC unroll 32
    for (int k = 0; k < kColumns; ++k) {
      if (unsigned(k - begin) < count) meet(k, load(image + at));
      at += channels;
    }
  }

  template <class T>
  static __attribute__((noinline)) void multiply(const DepthwiseRow<T>& row, std::int64_t first, const T* weights,
                                                 const RowEpilogue<T>& epilogue, T* to, std::int64_t result_stride) {
    constexpr int N = kLanes<T>;
    const std::int64_t left = row.left + first * S, channels = row.vectors.channels, width = row.vectors.count * N;
    const Inside columns(left, 1, kColumns, row.width);
    const std::int64_t next = row.step_h * row.width * channels;
    const T* const image = row.image;
    for (std::int64_t slot = 0; slot < row.vectors.count; ++slot) {
      const std::int64_t channel = row.vectors.first[slot];
      const std::int64_t place = first * result_stride + channel;
      vec<T> sums[P];
      begin_sums<P, N>(epilogue, slot, place, result_stride, sums);
      std::int64_t at = ((row.top + row.begin * row.step_h) * row.width + left) * channels + channel;
      const T* w = weights + row.begin * KW * width + slot * N;
      for (std::int64_t a = row.begin; a < row.end; ++a, at += next, w += KW * width) {
        vec<T> factors[KW];
#pragma GCC unroll 8
        for (int b = 0; b < KW; ++b) factors[b] = load(w + b * width);
        for_each_column(image, at, channels, columns, [&](int k, vec<T> pixel) __attribute__((always_inline)) {
#pragma GCC unroll 8
          for (int p = 0; p < P; ++p) {
            const int b = k - p * S;
            if (b >= 0 && b < KW) sums[p] += pixel * factors[b];
          }
        });
      }
      store_sums<P, N>(epilogue, sums, to + place, result_stride);
    }
  }

  template <class T>
  static __attribute__((noinline)) void add_products(const DepthwiseRow<T>& row, std::int64_t first, const T* dy,
                                                     T* sums) {
    constexpr int N = kLanes<T>;
    const std::int64_t left = row.left + first * S, channels = row.vectors.channels, width = row.vectors.count * N;
    const Inside columns(left, 1, kColumns, row.width);
    const std::int64_t next = row.step_h * row.width * channels;
    const T* const image = row.image;
    dy += first * channels;
    for (std::int64_t slot = 0; slot < row.vectors.count; ++slot) {
      const std::int64_t channel = row.vectors.first[slot];
      vec<T> factors[P];
      const T* factor = dy + channel;
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p, factor += channels) factors[p] = load(factor);
      std::int64_t at = ((row.top + row.begin * row.step_h) * row.width + left) * channels + channel;
      T* to = sums + row.begin * KW * width + slot * N;
      for (std::int64_t a = row.begin; a < row.end; ++a, at += next, to += KW * width) {
        vec<T> own[KW];
#pragma GCC unroll 8
        for (int b = 0; b < KW; ++b) own[b] = load(to + b * width);
        for_each_column(image, at, channels, columns, [&](int k, vec<T> pixel) __attribute__((always_inline)) {
#pragma GCC unroll 8
          for (int p = 0; p < P; ++p) {
            const int b = k - p * S;
            if (b >= 0 && b < KW) own[b] += pixel * factors[p];
          }
        });
#pragma GCC unroll 8
        for (int b = 0; b < KW; ++b) store(to + b * width, own[b]);
      }
    }
  }
};

// Tiles of P results of any windows, all of whose places `across` lie in the image.
template <int P, int N>
struct LooseTile {
  template <class T>
  static __attribute__((noinline)) void multiply(const DepthwiseRow<T>& row, std::int64_t first, const Inside& across,
                                                 const T* weights, const RowEpilogue<T>& epilogue, T* to,
                                                 std::int64_t result_stride) {
    const std::int64_t channels = row.vectors.channels, width = row.vectors.count * N;
    for (std::int64_t slot = 0; slot < row.vectors.count; ++slot) {
      const std::int64_t channel = row.vectors.first[slot];
      const std::int64_t place = first * result_stride + channel;
      Lanes<T, N> sums[P];
      begin_sums<P, N>(epilogue, slot, place, result_stride, sums);
      for (std::int64_t a = row.begin; a < row.end; ++a) {
        for (std::int64_t b = across.begin; b < across.end; ++b) {
          const Lanes<T, N> factor = load_run<N>(weights + (a * row.kernel_w + b) * width + slot * N);
          const T* pixel = row.image + row_at(row, first, a, b) + channel;
#pragma GCC unroll 8
          for (int p = 0; p < P; ++p) sums[p] += load_run<N>(pixel + p * row.stride * channels) * factor;
        }
      }
      store_sums<P, N>(epilogue, sums, to + place, result_stride);
    }
  }

  template <class T>
  static __attribute__((noinline)) void add_products(const DepthwiseRow<T>& row, std::int64_t first,
                                                     const Inside& across, const T* dy, T* sums) {
    const std::int64_t channels = row.vectors.channels, width = row.vectors.count * N;
    dy += first * channels;
    for (std::int64_t slot = 0; slot < row.vectors.count; ++slot) {
      const std::int64_t channel = row.vectors.first[slot];
      Lanes<T, N> factors[P];
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) factors[p] = load_run<N>(dy + p * channels + channel);
      for (std::int64_t a = row.begin; a < row.end; ++a) {
        for (std::int64_t b = across.begin; b < across.end; ++b) {
          T* to = sums + (a * row.kernel_w + b) * width + slot * N;
          const T* pixel = row.image + row_at(row, first, a, b) + channel;
          Lanes<T, N> own = load_run<N>(to);
#pragma GCC unroll 8
          for (int p = 0; p < P; ++p) own += load_run<N>(pixel + p * row.stride * channels) * factors[p];
          store_run<N>(to, own);
        }
      }
    }
  }

 private:
  // What place (a, b) of the window of result `first` meets.
  template <class T>
  static FASTML_INLINE std::int64_t row_at(const DepthwiseRow<T>& row, std::int64_t first, std::int64_t a,
                                           std::int64_t b) {
    const std::int64_t y = row.top + a * row.step_h, x = row.left + first * row.stride + b * row.step_w;
    return (y * row.width + x) * row.vectors.channels;
  }
};

// Calls use(Tile<...>{}, first) for tiles that cover the row.
template <int P, int KW, int S, class T, class Use>
FASTML_INLINE void cover(const DepthwiseRow<T>& row, const Use& use, std::int64_t first = 0) {
  for (; first + P <= row.count; first += P) use(Tile<P, KW, S>{}, first);
  if constexpr (P > 1) cover<P / 2, KW, S>(row, use, first);
}

// Calls use(LooseTile<...>{}, first, places across that lie in the image): one result at a time at the edges.
template <int N, class T, class Use>
FASTML_INLINE void cover_loosely(const DepthwiseRow<T>& row, const Use& use) {
  const auto across = [&](std::int64_t j) __attribute__((always_inline)) {
    return Inside(row.left + j * row.stride, row.step_w, row.kernel_w, row.width);
  };
  const auto whole = [&](std::int64_t j) __attribute__((always_inline)) {
    const Inside inside = across(j);
    return inside.begin == 0 && inside.end == row.kernel_w;
  };
  for (std::int64_t j = 0; j < row.count;) {
    // Windows between two whole ones are whole.
    if (j + kLooseTile <= row.count && whole(j) && whole(j + kLooseTile - 1)) {
      use(LooseTile<kLooseTile, N>{}, j, across(j));
      j += kLooseTile;
    } else {
      use(LooseTile<1, N>{}, j, across(j));
      ++j;
    }
  }
}

// Calls use(lanes) with the number of lanes as a constant.
template <int N, class Use>
FASTML_INLINE void with_lanes(std::int64_t lanes, const Use& use) {
  if (lanes == N) {
    use(Width<N>{});
  } else if constexpr (N > 1) {
    with_lanes<N / 2>(lanes, use);
  }
}

template <class T, class Close, class Loose>
FASTML_INLINE void cover_row(const DepthwiseRow<T>& row, const Close& close, const Loose& loose) {
  if (row.vectors.lanes == kLanes<T> && row.step_w == 1) {
    if (row.stride == 1) {
      if (row.kernel_w == 1) return cover<kTile, 1, 1>(row, close);
      if (row.kernel_w == 2) return cover<kTile, 2, 1>(row, close);
      if (row.kernel_w == 3) return cover<kTile, 3, 1>(row, close);
      if (row.kernel_w == 5) return cover<kTile, 5, 1>(row, close);
    }
    if (row.stride == 2) {
      if (row.kernel_w == 3) return cover<kTile, 3, 2>(row, close);
      if (row.kernel_w == 5) return cover<kTile, 5, 2>(row, close);
    }
  }
  with_lanes<kLanes<T>>(row.vectors.lanes, [&](auto lanes) __attribute__((always_inline)) {
    cover_loosely<decltype(lanes)::value>(row, loose);
  });
}

template <class T>
void multiply(const DepthwiseRow<T>& row, const T* weights, const RowEpilogue<T>& epilogue, T* results,
              std::int64_t result_stride) {
  cover_row(
      row,
      [&](auto tile, std::int64_t first)
          __attribute__((always_inline)) { tile.multiply(row, first, weights, epilogue, results, result_stride); },
      [&](auto tile, std::int64_t first, const Inside& across) __attribute__((always_inline)) {
        tile.multiply(row, first, across, weights, epilogue, results, result_stride);
      });
}

template <class T>
void add_products(const DepthwiseRow<T>& row, const T* dy, T* sums) {
  cover_row(
      row,
      [&](auto tile, std::int64_t first) __attribute__((always_inline)) { tile.add_products(row, first, dy, sums); },
      [&](auto tile, std::int64_t first, const Inside& across)
          __attribute__((always_inline)) { tile.add_products(row, first, across, dy, sums); });
}

template <class T>
std::int64_t lanes(std::int64_t channels) {
  std::int64_t count = kLanes<T>;
  while (count > channels) count /= 2;
  return count;
}

template <class T>
constexpr DepthwiseKernels<T> kernels() {
  return {lanes<T>, multiply<T>, add_products<T>};
}

}  // namespace

extern const DepthwiseKernels<float> depthwise_table_f32;
extern const DepthwiseKernels<double> depthwise_table_f64;
const DepthwiseKernels<float> depthwise_table_f32 = kernels<float>();
const DepthwiseKernels<double> depthwise_table_f64 = kernels<double>();

}  // namespace FASTML_LEVEL
}  // namespace fastml
