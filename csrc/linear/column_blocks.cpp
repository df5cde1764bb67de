#include "linear/column_blocks.hpp"

#include <algorithm>
#include <cstdint>

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

// What a pass needs for itself: for each thread sums, and where a Gram matrix is made, panels of packed rows.
template <class T>
struct Workspace {
  int threads;
  std::int64_t sums, panels, rows;  // elements of each thread

  explicit Workspace(const FastmlColumnPass& p) {
    const CrossLayout layout = cross_kernels<T>().layout;
    const bool gram = p.gram != nullptr;
    const double columns = double(p.old_count + p.new_count) + (gram ? double(p.new_count * p.new_count) / 2 : 0.0);
    threads = threads_worth(columns * double(p.rows), p.rows, p.threads);
    sums = whole_lines<double>(p.new_count + (gram ? layout.size(p.new_count, 0) : 0));
    panels = gram ? whole_lines<double>(layout.panels(p.new_count, 0)) : 0;
    rows = gram && p.col_stride != 1 ? whole_lines<T>(kCrossDepth * p.new_count) : 0;
  }

  std::int64_t doubles() const { return threads * (sums + panels); }
  std::int64_t bytes() const {
    return doubles() * std::int64_t(sizeof(double)) + threads * rows * std::int64_t(sizeof(T)) +
           std::int64_t(kAlignment);
  }
};

template <class T>
long long workspace(const FastmlColumnPass* given) {
  // Of fewer columns, there may be fewer threads: all are counted.
  FastmlColumnPass most = *given;
  most.old_count = most.new_count;
  return Workspace<T>(most).bytes();
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
  const Workspace<T> space(p);
  const std::int64_t width = cross.layout.width(p.new_count);
  const auto address = reinterpret_cast<std::uintptr_t>(p.workspace);
  auto* sums = reinterpret_cast<double*>((address + kAlignment - 1) / kAlignment * kAlignment);
  double* panel_memory = sums + space.threads * space.sums;
  T* row_memory = reinterpret_cast<T*>(sums + space.doubles());
  std::fill(sums, sums + space.doubles(), 0.0);
#pragma omp parallel for num_threads(space.threads) schedule(static, 1) if (space.threads > 1)
  for (int t = 0; t < space.threads; ++t) {
    double* products = sums + t * space.sums;
    const std::int64_t last = share(p.rows, t + 1, space.threads);
    for (std::int64_t begin = share(p.rows, t, space.threads); begin < last; begin += kBlockRows) {
      const std::int64_t end = std::min(begin + kBlockRows, last);
      kernels.advance(old, p.steps, next, begin, end, p.residual, products);
      if (gram) {
        cross.add_products(samples, begin, end, 0, cross.layout.feature_tiles(p.new_count), row_memory + t * space.rows,
                           panel_memory + t * space.panels, products + p.new_count, nullptr);
      }
    }
  }
  for (std::int64_t k = 0; k < p.new_count; ++k) {
    const auto total = [&](std::int64_t at) {
      double sum = 0;
      for (int t = 0; t < space.threads; ++t) sum += sums[t * space.sums + at];
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
  static constexpr FastmlColumnBlocks blocks{pass<float>, workspace<float>};
  return blocks;
}

template <>
const FastmlColumnBlocks& column_blocks<double>() {
  static constexpr FastmlColumnBlocks blocks{pass<double>, workspace<double>};
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
