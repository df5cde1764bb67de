#include "linear/sparse_cross.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "linear/tuning.hpp"
#include "runtime/buffer.hpp"
#include "runtime/views.hpp"

namespace fastml::linear {
namespace {

// The sums of a thread. A row's products are added for each value with those that are stored before it only, wherever
// their columns lie: pairs[j][l] + pairs[l][j] is the product of columns j and l, and of a column with itself what repeated
// indices add to its sum of squares.
struct Sums {
  double* pairs;    // features x features
  double* moments;  // features x moments_of(targets): sum of squares, sum, products with the targets
};

std::int64_t moments_of(std::int64_t targets) { return targets + 2; }

// Multiply-adds for the rows before each, and for all of them.
template <class T, class Index>
std::vector<double> work_before(const SparseCrossTask<T, Index>& x, bool pairs) {
  std::vector<double> work(x.rows + 1);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const auto stored = double(x.offsets[i + 1] - x.offsets[i]);
    work[i + 1] = work[i] + 1 + stored * (double(x.targets) + 2 + (pairs ? stored / 2 : double(x.targets)));
  }
  return work;
}

// The first of the rows, or columns, of part t of `parts` that have as much work each.
std::int64_t part_begin(const std::vector<double>& work, int t, int parts) {
  return std::lower_bound(work.begin(), work.end() - 1, work.back() * t / parts) - work.begin();
}

// Multiply-adds for the columns before each: the same as of the rows, but every product counts for its later value.
template <class T, class Index>
std::vector<double> work_before_columns(const SparseCrossTask<T, Index>& x) {
  std::vector<double> work(x.features + 1);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (Index p = x.offsets[i]; p < x.offsets[i + 1]; ++p) {
      work[x.indices[p] + 1] += double(p - x.offsets[i]) + double(x.targets) + 2;
    }
  }
  for (std::int64_t j = 0; j < x.features; ++j) work[j + 1] += work[j];
  return work;
}

int threads_worth(double work, int threads) {
  return int(std::clamp(work / kSparseCrossWorkPerThread, 1.0, double(std::max(threads, 1))));
}

template <class T, class Index>
double weight_of(const SparseCrossTask<T, Index>& x, std::int64_t row) {
  return x.weights ? double(x.weights[row]) : 1.0;
}

// Adds rows [begin, end), of what lies in columns [first, last) and before it. `row` has room for the targets.
template <class T, class Index>
void add_rows(const SparseCrossTask<T, Index>& x, std::int64_t begin, std::int64_t end, std::int64_t first,
              std::int64_t last, const double* y_mean, double* row, const Sums& sums) {
  const std::int64_t targets = x.targets, stride = moments_of(targets);
  for (std::int64_t i = begin; i < end; ++i) {
    const double weight = weight_of(x, i);
    for (std::int64_t k = 0; k < targets; ++k) row[k] = double(x.y[i * targets + k]) - y_mean[k];
    const Index start = x.offsets[i];
    for (Index p = start; p < x.offsets[i + 1]; ++p) {
      const std::int64_t j = x.indices[p];
      if (j < first || j >= last) continue;
      const double value = weight * double(x.values[p]);
      double* moments = sums.moments + j * stride;
      moments[0] += value * double(x.values[p]);
      moments[1] += value;
      for (std::int64_t k = 0; k < targets; ++k) moments[2 + k] += value * row[k];
      double* pairs = sums.pairs + j * x.features;
      for (Index q = start; q < p; ++q) pairs[x.indices[q]] += value * double(x.values[q]);
    }
  }
}

// Runs a thread's share of the rows, or all rows where they are shared, through step(begin, end) in chunks of some work.
// Only the first thread looks whether to stop.
template <class Step>
void over_rows(const std::vector<double>& work, int t, int threads, bool shared, StopCheck stop,
               std::atomic<bool>& stopped, const Step& step) {
  const auto rows = std::int64_t(work.size()) - 1;
  const std::int64_t last = shared || t + 1 == threads ? rows : part_begin(work, t + 1, threads);
  std::int64_t begin = shared ? 0 : part_begin(work, t, threads);
  while (begin < last && !stopped) {
    const double most = work[begin] + kSparseCrossChunkWork;
    const std::int64_t end = std::upper_bound(work.begin() + begin + 1, work.begin() + last, most) - work.begin();
    step(begin, end);
    begin = end;
    if (t == 0 && stop != nullptr && stop()) stopped = true;
  }
}

template <class T, class Index>
double total_weight(const SparseCrossTask<T, Index>& x) {
  double total = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) total += weight_of(x, i);
  return total;
}

// Means of the targets, and then those of what they leave: the first are off by the rounding of a long sum.
template <class T, class Index>
void target_means(const SparseCrossTask<T, Index>& x, double total, double* means) {
  std::fill(means, means + x.targets, 0.0);
  std::vector<double> sums(x.targets);
  for (int pass = 0; pass < 2; ++pass) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::int64_t i = 0; i < x.rows; ++i) {
      for (std::int64_t k = 0; k < x.targets; ++k) {
        sums[k] += weight_of(x, i) * (double(x.y[i * x.targets + k]) - means[k]);
      }
    }
    for (std::int64_t k = 0; k < x.targets; ++k) means[k] += sums[k] / total;
  }
}

// Adds the gradient of a row, and after all gradients its residuals.
template <class T, class Index>
void add_gradient(const SparseCrossTask<T, Index>& x, std::int64_t row, const double* shift, const double* coef,
                  double* gradient) {
  for (std::int64_t k = 0; k < x.targets; ++k) {
    double residual = double(x.y[row * x.targets + k]) - shift[k];
    for (Index p = x.offsets[row]; p < x.offsets[row + 1]; ++p) {
      residual -= double(x.values[p]) * coef[k * x.features + x.indices[p]];
    }
    residual *= weight_of(x, row);
    for (Index p = x.offsets[row]; p < x.offsets[row + 1]; ++p) {
      gradient[k * x.features + x.indices[p]] += residual * double(x.values[p]);
    }
    gradient[x.targets * x.features + k] += residual;
  }
}

// Puts the products together, less the means, in place of the pairs in `out.gram`: by square blocks, of which both halves of
// the matrix stay in L1.
void finish(const Sums& sums, std::int64_t d, std::int64_t targets, double total, bool center,
            const CrossProducts& out) {
  constexpr std::int64_t kBlock = 32;
  const std::int64_t stride = moments_of(targets);
  const double* moments = sums.moments;
  for (std::int64_t j = 0; j < d; ++j) {
    out.x_mean[j] = center ? moments[j * stride + 1] / total : 0;
    for (std::int64_t k = 0; k < targets; ++k) out.xy[k * d + j] = moments[j * stride + 2 + k];
    double& square = out.gram[j * d + j];
    square = moments[j * stride] + 2 * square - out.x_mean[j] * moments[j * stride + 1];
  }
  for (std::int64_t top = 0; top < d; top += kBlock) {
    for (std::int64_t left = 0; left <= top; left += kBlock) {
      for (std::int64_t j = top; j < std::min(top + kBlock, d); ++j) {
        for (std::int64_t l = left; l < std::min(left + kBlock, j); ++l) {
          const double product = out.gram[j * d + l] + out.gram[l * d + j] - out.x_mean[j] * moments[l * stride + 1];
          out.gram[j * d + l] = product;
          out.gram[l * d + j] = product;
        }
      }
    }
  }
}

}  // namespace

template <class T, class Index>
bool in_bounds(const SparseCrossTask<T, Index>& x, std::int64_t stored) {
  Index last = 0;
  for (std::int64_t i = 0; i <= x.rows; ++i) {
    if (x.offsets[i] < last || x.offsets[i] > stored) return false;
    last = x.offsets[i];
  }
  return are_indices(x.indices + x.offsets[0], last - x.offsets[0], x.features);
}

template <class T, class Index>
bool sparse_cross_products(const SparseCrossTask<T, Index>& task, bool center, const CrossProducts& out) {
  const std::int64_t d = task.features, stride = moments_of(task.targets);
  const std::vector<double> work = work_before(task, true);
  const double total = total_weight(task);
  std::fill(out.y_mean, out.y_mean + task.targets, 0.0);
  if (center) target_means(task, total, out.y_mean);
  int threads = threads_worth(work.back(), task.threads);
  const bool shared = threads > 1 && threads * d * d > kMostPrivateSums;
  threads = int(std::min<std::int64_t>(threads, shared ? d : task.rows));
  // Products are scattered over the rows of a slice, which stays in the cache while all samples pass by.
  int slices = int((d * d + kSliceSums - 1) / kSliceSums);
  if (shared) slices = (slices + threads - 1) / threads * threads;
  const std::vector<double> column_work = slices > 1 ? work_before_columns(task) : std::vector<double>{};

  // Of the private sums those of the first thread are the result's own.
  const std::int64_t part = whole_lines<double>(d * (d + stride));
  Buffer<double> others(shared ? 0 : (threads - 1) * part), moments(d * stride);
  const std::int64_t row_size = whole_lines<double>(task.targets);
  Buffer<double> rows(threads * row_size);
  std::fill(out.gram, out.gram + d * d, 0.0);
  const auto sums_of = [&](int t) {
    if (shared || t == 0) return Sums{out.gram, moments.data()};
    double* mine = others.data() + (t - 1) * part;
    return Sums{mine, mine + d * d};
  };
  std::atomic<bool> stopped{false};
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (int s = shared ? t : 0; s < slices; s += shared ? threads : 1) {
      const std::int64_t first = slices > 1 ? part_begin(column_work, s, slices) : 0;
      const std::int64_t last = s + 1 == slices ? d : part_begin(column_work, s + 1, slices);
      over_rows(work, t, threads, shared, task.stop, stopped, [&](std::int64_t begin, std::int64_t end) {
        add_rows(task, begin, end, first, last, out.y_mean, rows.data() + t * row_size, sums_of(t));
      });
    }
  }
  if (stopped) return false;
  for (int t = 1; t < threads && !shared; ++t) {
    const Sums more = sums_of(t);
    for (std::int64_t i = 0; i < d * d; ++i) out.gram[i] += more.pairs[i];
    for (std::int64_t i = 0; i < d * stride; ++i) moments.data()[i] += more.moments[i];
  }
  finish(sums_of(0), d, task.targets, total, center, out);
  return true;
}

template <class T, class Index>
bool sparse_normal_residual(const SparseCrossTask<T, Index>& task, const double* x_mean, const double* y_mean,
                            const double* coef, double* gradient) {
  const std::int64_t d = task.features, targets = task.targets;
  const std::vector<double> work = work_before(task, false);
  const int threads = int(std::min<std::int64_t>(threads_worth(work.back(), task.threads), task.rows));
  // A thread's gradient, and after it the sums of the residuals.
  const std::int64_t part = whole_lines<double>(targets * (d + 1));
  Buffer<double> sums(threads * part);
  std::vector<double> shift(targets);
  for (std::int64_t k = 0; k < targets; ++k) {
    shift[k] = y_mean[k];
    for (std::int64_t j = 0; j < d; ++j) shift[k] -= x_mean[j] * coef[k * d + j];
  }
  std::atomic<bool> stopped{false};
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    double* mine = sums.data() + t * part;
    over_rows(work, t, threads, false, task.stop, stopped, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) add_gradient(task, i, shift.data(), coef, mine);
    });
  }
  if (stopped) return false;
  for (int t = 1; t < threads; ++t) {
    for (std::int64_t i = 0; i < targets * (d + 1); ++i) sums.data()[i] += sums.data()[t * part + i];
  }
  for (std::int64_t k = 0; k < targets; ++k) {
    for (std::int64_t j = 0; j < d; ++j) {
      gradient[k * d + j] = sums.data()[k * d + j] - sums.data()[targets * d + k] * x_mean[j];
    }
  }
  return true;
}

#define FASTML_FOR_TYPES(T, Index)                                                                                    \
  template bool in_bounds(const SparseCrossTask<T, Index>&, std::int64_t);                                            \
  template bool sparse_cross_products(const SparseCrossTask<T, Index>&, bool, const CrossProducts&);                  \
  template bool sparse_normal_residual(const SparseCrossTask<T, Index>&, const double*, const double*, const double*, \
                                       double*);
FASTML_FOR_TYPES(float, std::int32_t)
FASTML_FOR_TYPES(float, std::int64_t)
FASTML_FOR_TYPES(double, std::int32_t)
FASTML_FOR_TYPES(double, std::int64_t)
#undef FASTML_FOR_TYPES

}  // namespace fastml::linear
