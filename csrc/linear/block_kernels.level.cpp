// Blocks of columns at one SIMD level. Where rows are contiguous, a block is a run of some cache lines in each row, which no
// hardware prefetcher foresees: rows ahead are asked for. Where columns are, they are read like vectors.
#include "linear/block_kernels.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using linear::ColumnBlock;
using linear::kBlockRows;

constexpr int kDoubles = kLanes<double>;

// Rows whose products are added to the sums at a time, which are then loaded and stored once for all of them.
constexpr std::int64_t kTogether = 4;

// Rows between the one that is read and the one that is asked for.
constexpr std::int64_t kAhead = 24;

// Columns that are asked for at most: longer runs the hardware foresees.
constexpr std::int64_t kMostPrefetched = 128;

template <int N, class T>
FASTML_INLINE typename VectorOf<double, N>::type widened(const T* x) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return load_run<N>(x);
  } else {
    return __builtin_convertvector(load_run<N>(x), typename VectorOf<double, N>::type);
  }
}

template <int N, class T>
FASTML_INLINE typename VectorOf<double, N>::type centered(const T* x, const double* shift) {
  return widened<N>(x) - load_run<N>(shift);
}

template <class T>
FASTML_INLINE void prefetch_row(const ColumnBlock<T>& b, std::int64_t row, std::int64_t end) {
  if (row >= end || b.columns > kMostPrefetched) return;
  const char* line = reinterpret_cast<const char*>(b.x + row * b.row_stride);
  for (std::int64_t byte = 0; byte < b.columns * std::int64_t(sizeof(T)); byte += 64) {
    __builtin_prefetch(line + byte);
  }
}

// residual -= steps . z, for `Count` rows.
template <int Count, class T>
FASTML_INLINE void subtract_rows(const ColumnBlock<T>& b, std::int64_t row, const double* steps, double* residual) {
  const T* x = b.x + row * b.row_stride;
  vec<double> sums[Count] = {};
  double rest[Count] = {};
  for_each_run<kDoubles>(b.columns, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    const auto step = load_run<lanes>(steps + j);
#pragma GCC unroll 4
    for (int q = 0; q < Count; ++q) {
      const auto term = step * centered<lanes>(x + q * b.row_stride + j, b.shift + j);
      if constexpr (lanes == kDoubles) {
        sums[q] += term;
      } else {
        rest[q] += sum_run<lanes, double>(term);
      }
    }
  });
  for (int q = 0; q < Count; ++q) residual[row + q] -= reduce_add<double>(sums[q]) + rest[q];
}

// products += residual . z, for `Count` rows.
template <int Count, class T>
FASTML_INLINE void multiply_rows(const ColumnBlock<T>& b, std::int64_t row, const double* residual, double* products) {
  const T* x = b.x + row * b.row_stride;
  for_each_run<kDoubles>(b.columns, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    auto sum = load_run<lanes>(products + j);
#pragma GCC unroll 4
    for (int q = 0; q < Count; ++q) {
      sum += residual[row + q] * centered<lanes>(x + q * b.row_stride + j, b.shift + j);
    }
    store_run<lanes>(products + j, sum);
  });
}

// residual -= step z, for a column.
template <class T>
FASTML_INLINE void subtract_column(const T* x, double shift, std::int64_t count, double step, double* residual) {
  for_each_run<kDoubles>(count, [&](auto width, std::int64_t i) {
    constexpr int lanes = decltype(width)::value;
    double* r = residual + i;
    store_run<lanes>(r, load_run<lanes>(r) - step * (widened<lanes>(x + i) - shift));
  });
}

// The sum of residual z, for a column.
template <class T>
FASTML_INLINE double multiply_column(const T* x, double shift, std::int64_t count, const double* residual) {
  vec<double> sums[4] = {};
  double rest = 0;
  std::int64_t i = 0;
  for (; i + 4 * kDoubles <= count; i += 4 * kDoubles) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const std::int64_t at = i + v * kDoubles;
      sums[v] += load(residual + at) * (load_as<double>(x + at) - shift);
    }
  }
  for (; i < count; ++i) rest += residual[i] * (double(x[i]) - shift);
  return reduce_add<double>((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

template <class T>
void advance(const ColumnBlock<T>& old, const double* steps, const ColumnBlock<T>& next, std::int64_t begin,
             std::int64_t end, double* residual, double* products) {
  if (next.col_stride == 1) {
    // Row by row, so that the old block's rows come from the cache while the next one's come from memory.
    std::int64_t row = begin;
    const auto step = [&](auto together) {
      constexpr int count = decltype(together)::value;
      for (int q = 0; q < count; ++q) {
        prefetch_row(old, row + kAhead + q, end);
        prefetch_row(next, row + kAhead + q, end);
      }
      if (old.columns > 0) subtract_rows<count>(old, row, steps, residual);
      if (next.columns > 0) multiply_rows<count>(next, row, residual, products);
      row += count;
    };
    while (row + kTogether <= end) step(Width<int(kTogether)>{});
    while (row < end) step(Width<1>{});
    return;
  }
  for (std::int64_t row = begin; row < end; row += kBlockRows) {
    const std::int64_t count = end - row < kBlockRows ? end - row : kBlockRows;
    for (std::int64_t j = 0; j < old.columns; ++j) {
      if (steps[j] != 0) {
        subtract_column(old.x + j * old.col_stride + row, old.shift[j], count, steps[j], residual + row);
      }
    }
    for (std::int64_t j = 0; j < next.columns; ++j) {
      products[j] += multiply_column(next.x + j * next.col_stride + row, next.shift[j], count, residual + row);
    }
  }
}

template <int Count, class T>
FASTML_INLINE void add_moments_of_rows(const ColumnBlock<T>& b, std::int64_t row, const double* target, double* sums,
                                       double* squares, double* products) {
  const T* x = b.x + row * b.row_stride;
  for_each_run<kDoubles>(b.columns, [&](auto width, std::int64_t j) {
    constexpr int lanes = decltype(width)::value;
    auto sum = load_run<lanes>(sums + j), square = load_run<lanes>(squares + j),
         product = load_run<lanes>(products + j);
#pragma GCC unroll 4
    for (int q = 0; q < Count; ++q) {
      const auto z = centered<lanes>(x + q * b.row_stride + j, b.shift + j);
      sum += z;
      square += z * z;
      product += target[row + q] * z;
    }
    store_run<lanes>(sums + j, sum);
    store_run<lanes>(squares + j, square);
    store_run<lanes>(products + j, product);
  });
}

template <class T>
void add_moments(const ColumnBlock<T>& b, std::int64_t begin, std::int64_t end, const double* target, double* sums,
                 double* squares, double* products) {
  if (b.col_stride == 1) {
    std::int64_t row = begin;
    for (; row + kTogether <= end; row += kTogether) {
      add_moments_of_rows<int(kTogether)>(b, row, target, sums, squares, products);
    }
    for (; row < end; ++row) add_moments_of_rows<1>(b, row, target, sums, squares, products);
    return;
  }
  const double* y = target + begin;
  for (std::int64_t j = 0; j < b.columns; ++j) {
    const T* x = b.x + j * b.col_stride + begin;
    vec<double> sum[2] = {}, square[2] = {}, product[2] = {};
    std::int64_t i = 0;
    for (; i + 2 * kDoubles <= end - begin; i += 2 * kDoubles) {
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
        const std::int64_t at = i + v * kDoubles;
        const vec<double> z = load_as<double>(x + at) - b.shift[j];
        sum[v] += z;
        square[v] += z * z;
        product[v] += load(y + at) * z;
      }
    }
    for (; i < end - begin; ++i) {
      const double z = double(x[i]) - b.shift[j];
      sums[j] += z;
      squares[j] += z * z;
      products[j] += y[i] * z;
    }
    sums[j] += reduce_add<double>(sum[0] + sum[1]);
    squares[j] += reduce_add<double>(square[0] + square[1]);
    products[j] += reduce_add<double>(product[0] + product[1]);
  }
}

}  // namespace

extern const linear::BlockKernels<float> block_table_f32;
extern const linear::BlockKernels<double> block_table_f64;
const linear::BlockKernels<float> block_table_f32{advance<float>, add_moments<float>};
const linear::BlockKernels<double> block_table_f64{advance<double>, add_moments<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
