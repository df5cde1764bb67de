#include "bayes/counts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bayes/row_chunks.hpp"
#include "bayes/tuning.hpp"
#include "runtime/buffer.hpp"

namespace fastml::bayes {
namespace {

constexpr ValueRange kNoValues{std::numeric_limits<double>::infinity(), true};

// The sums of each thread, with a row for what is in no class.
class ThreadSums {
 public:
  ThreadSums(int threads, std::int64_t classes, std::int64_t features)
      : classes_(classes),
        features_(features),
        share_(whole_lines<double>((classes + 1) * features)),
        sums_(threads * share_),
        ranges_(threads, kNoValues) {}

  double* sums(int t) { return sums_.data() + t * share_; }
  ValueRange& range(int t) { return ranges_[t]; }

  void add_up(double* to, ValueRange& range) {
    const std::int64_t size = classes_ * features_;
    std::copy(sums_.data(), sums_.data() + size, to);
    range = ranges_[0];
    for (std::size_t t = 1; t < ranges_.size(); ++t) {
      const double* more = sums(int(t));
      for (std::int64_t i = 0; i < size; ++i) to[i] += more[i];
      range.least = std::min(range.least, ranges_[t].least);
      range.finite = range.finite && ranges_[t].finite;
    }
  }

 private:
  std::int64_t classes_, features_, share_;
  Buffer<double> sums_;
  std::vector<ValueRange> ranges_;
};

template <class T, class Index>
void add_sparse(const SparseCountTask<T, Index>& task, std::int64_t begin, std::int64_t end, double* sums,
                ValueRange& range) {
  const SparseRows<T, Index>& x = task.x;
  double least = range.least, differences = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    double* sum = sums + task.labels[i] * x.cols;
    const double weight = task.weights == nullptr ? 1.0 : task.weights[i];
    for (Index p = x.offsets[i]; p < x.offsets[i + 1]; ++p) {
      const auto value = double(x.values[p]);
      least = std::min(least, value);
      differences += value - value;
      sum[x.indices[p]] += task.threshold == nullptr ? weight * value : value > *task.threshold ? weight : 0.0;
    }
  }
  range.least = least;
  range.finite = range.finite && differences == 0;
}

}  // namespace

template <class T>
bool count_rows(const CountTask<T>& task, double* sums, ValueRange& range) {
  const std::int64_t d = task.rows.x.cols, rows = task.rows.x.rows;
  const int threads = threads_for_sums(rows * d, (task.classes + 1) * d, task.threads);
  ThreadSums shares(threads, task.classes, d);
  const CountKernels<T>& kernels = count_kernels<T>();
  const std::int64_t panel = std::max(kSumBytes / std::int64_t(sizeof(double)) / (task.classes + 1), kLeastPanel);
  const std::int64_t block = panel >= d ? rows : kBlockBytes / std::int64_t(sizeof(T)) / d + 1;
  const bool finished = for_each_row_chunk(
      rows, kChunkWork / d + 1, 1, threads, task.stop, [&](int t, std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; row += block) {
          for (std::int64_t first = 0; first < d; first += panel) {
            kernels.add(task.rows, row, std::min(row + block, end), first, std::min(first + panel, d), shares.sums(t),
                        d, shares.range(t));
          }
        }
      });
  shares.add_up(sums, range);
  return finished;
}

template <class T, class Index>
bool count_rows(const SparseCountTask<T, Index>& task, double* sums, ValueRange& range) {
  const std::int64_t rows = task.x.rows, stored = task.x.offsets[rows] - task.x.offsets[0];
  const int threads = threads_for_sums(stored, (task.classes + 1) * task.x.cols, task.threads);
  ThreadSums shares(threads, task.classes, task.x.cols);
  const std::int64_t chunk = kChunkWork / (stored / rows + 1);
  const bool finished =
      for_each_row_chunk(rows, chunk, 1, threads, task.stop, [&](int t, std::int64_t begin, std::int64_t end) {
        add_sparse(task, begin, end, shares.sums(t), shares.range(t));
      });
  shares.add_up(sums, range);
  return finished;
}

template <class T, class Index>
bool in_bounds(const SparseRows<T, Index>& x, std::int64_t stored) {
  Index last = 0;
  for (std::int64_t i = 0; i <= x.rows; ++i) {
    if (x.offsets[i] < last || x.offsets[i] > stored) return false;
    last = x.offsets[i];
  }
  bool inside = true;  // without a branch: it is a pass over all indices
  for (std::int64_t p = x.offsets[0]; p < last; ++p) inside = inside & (x.indices[p] >= 0) & (x.indices[p] < x.cols);
  return inside;
}

#define FASTML_FOR_TYPE(T) template bool count_rows(const CountTask<T>&, double*, ValueRange&);
FASTML_FOR_TYPE(float)
FASTML_FOR_TYPE(double)
FASTML_FOR_TYPE(std::int32_t)
FASTML_FOR_TYPE(std::int64_t)
#undef FASTML_FOR_TYPE

#define FASTML_FOR_TYPES(T, Index)                                                  \
  template bool count_rows(const SparseCountTask<T, Index>&, double*, ValueRange&); \
  template bool in_bounds(const SparseRows<T, Index>&, std::int64_t);
FASTML_FOR_TYPES(float, std::int32_t)
FASTML_FOR_TYPES(float, std::int64_t)
FASTML_FOR_TYPES(double, std::int32_t)
FASTML_FOR_TYPES(double, std::int64_t)
#undef FASTML_FOR_TYPES

}  // namespace fastml::bayes
