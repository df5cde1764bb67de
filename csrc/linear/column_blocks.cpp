#include "linear/column_blocks.hpp"

#include <algorithm>

#include "linear/block_kernels.hpp"
#include "linear/cross_kernels.hpp"
#include "linear/some_mean.hpp"
#include "linear/tuning.hpp"
#include "runtime/buffer.hpp"

namespace fastml::linear {
namespace {

int threads_worth(double work, std::int64_t rows, int threads) {
  const std::int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const double most = std::min(work / kCrossWorkPerThread, double(blocks));
  return int(std::clamp(most, 1.0, double(std::max(threads, 1))));
}

// The rows of a thread: whole runs of kBlockRows.
std::int64_t share(std::int64_t rows, int t, int threads) {
  const std::int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  return std::min(blocks * t / threads * kBlockRows, rows);
}

template <class T>
ColumnBlock<T> columns_of(const FastmlColumnPass& p, std::int64_t first, std::int64_t count) {
  return {static_cast<const T*>(p.x) + first * p.col_stride, p.row_stride, p.col_stride, count, p.shift + first};
}

template <class T>
void pass(const FastmlColumnPass* given) {
  const FastmlColumnPass& p = *given;
  const BlockKernels<T>& kernels = block_kernels<T>();
  const CrossKernels<T>& cross = cross_kernels<T>();
  const ColumnBlock<T> old = columns_of<T>(p, p.old_first, p.old_count);
  const ColumnBlock<T> next = columns_of<T>(p, p.new_first, p.new_count);
  const CrossSamples<T> samples{next.x, p.row_stride, p.col_stride, p.rows, next.columns, next.shift, nullptr,
                                0,      nullptr,      nullptr};
  const bool gram = p.gram != nullptr;
  const double columns = double(p.old_count + p.new_count) + (gram ? double(p.new_count * p.new_count) / 2 : 0.0);
  const int threads = threads_worth(columns * double(p.rows), p.rows, p.threads);

  const std::int64_t width = cross.layout.width(p.new_count), size = gram ? cross.layout.size(p.new_count, 0) : 0;
  const std::int64_t part = whole_lines<double>(p.new_count + size);
  const std::int64_t panels = gram ? whole_lines<double>(cross.layout.panels(p.new_count, 0)) : 0;
  const std::int64_t copied = gram && p.col_stride != 1 ? whole_lines<T>(kCrossDepth * p.new_count) : 0;
  Buffer<double> sums(threads * part), panel_memory(threads * panels);
  Buffer<T> row_memory(threads * copied);
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    double* products = sums.data() + t * part;
    const std::int64_t last = share(p.rows, t + 1, threads);
    for (std::int64_t begin = share(p.rows, t, threads); begin < last; begin += kBlockRows) {
      const std::int64_t end = std::min(begin + kBlockRows, last);
      kernels.advance(old, p.steps, next, begin, end, p.residual, products);
      if (gram) {
        cross.add_products(samples, begin, end, 0, cross.layout.feature_tiles(p.new_count),
                           row_memory.data() + t * copied, panel_memory.data() + t * panels, products + p.new_count,
                           nullptr);
      }
    }
  }
  for (std::int64_t k = 0; k < p.new_count; ++k) {
    const auto total = [&](std::int64_t at) {
      double sum = 0;
      for (int t = 0; t < threads; ++t) sum += sums.data()[t * part + at];
      return sum;
    };
    p.products[k] = total(k);
    for (std::int64_t l = 0; gram && l <= k; ++l) {
      p.gram[k * p.new_count + l] = p.gram[l * p.new_count + k] = total(p.new_count + k * width + l);
    }
  }
}

}  // namespace

template <>
const FastmlColumnBlocks& column_blocks<float>() {
  static constexpr FastmlColumnBlocks blocks{pass<float>};
  return blocks;
}

template <>
const FastmlColumnBlocks& column_blocks<double>() {
  static constexpr FastmlColumnBlocks blocks{pass<double>};
  return blocks;
}

template <class T>
void column_moments(const T* x, std::int64_t row_stride, std::int64_t col_stride, std::int64_t rows,
                    std::int64_t columns, const double* target, bool center, int threads, const ColumnMoments& out) {
  const BlockKernels<T>& kernels = block_kernels<T>();
  threads = threads_worth(3.0 * double(columns) * double(rows), rows, threads);
  for (std::int64_t j = 0; j < columns; ++j) {
    out.mean[j] = center ? some_mean(x + j * col_stride, rows, row_stride) : 0.0;
  }
  const std::int64_t part = whole_lines<double>(3 * columns);
  for (int attempt = 0;; ++attempt) {
    Buffer<double> sums(threads * part);
    const ColumnBlock<T> block{x, row_stride, col_stride, columns, out.mean};
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
    for (int t = 0; t < threads; ++t) {
      double* own = sums.data() + t * part;
      kernels.add_moments(block, share(rows, t, threads), share(rows, t + 1, threads), target, own, own + columns,
                          own + 2 * columns);
    }
    double target_sum = 0;
    for (std::int64_t i = 0; i < rows && center; ++i) target_sum += target[i];
    bool exact = true;
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      out.norm2[j] = out.product[j] = 0;
      for (int t = 0; t < threads; ++t) {
        const double* own = sums.data() + t * part;
        sum += own[j];
        out.norm2[j] += own[columns + j];
        out.product[j] += own[2 * columns + j];
      }
      const double rest = center ? sum / double(rows) : 0.0;
      out.mean[j] += rest;
      out.norm2[j] -= rest * sum;
      out.product[j] -= rest * target_sum;
      exact = exact && !(rest * sum > kMostCorrection * out.norm2[j]);
    }
    if (exact || attempt > 0) return;
  }
}

template void column_moments(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, const double*, bool,
                             int, const ColumnMoments&);
template void column_moments(const double*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, const double*, bool,
                             int, const ColumnMoments&);

}  // namespace fastml::linear
