#include "bayes/moments.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "bayes/moment_kernels.hpp"
#include "bayes/row_chunks.hpp"
#include "bayes/tuning.hpp"
#include "runtime/buffer.hpp"

namespace fastml::bayes {
namespace {

// Of some rows alone. Row-major, classes x features; classes without weight have means and variances of 0.
struct ClassMoments {
  std::vector<std::int64_t> counts;  // rows of each class
  std::vector<double> weights;       // what these weigh together
  std::vector<double> means, variances;
};

// scikit-learn's np.isclose(weight, 0): rows that weigh as little are not there.
constexpr double kNoWeight = 1e-8;

constexpr double kRounding = 1e-9;

// For each class the mean of its first rows, as differences from the very first, so that equal values give that value.
template <class T>
void shift_to_first_rows(const MomentsTask<T>& task, std::vector<double>& shift) {
  const std::int64_t d = task.x.cols;
  std::vector<int> taken(task.classes, 0);
  std::vector<std::int64_t> first(task.classes, 0);
  std::vector<double> differences(shift.size(), 0.0);
  std::int64_t waiting = task.classes;
  for (std::int64_t i = 0; i < task.x.rows && waiting > 0; ++i) {
    const std::int64_t k = task.labels[i];
    if (taken[k] == kShiftRows) continue;
    if (taken[k] == 0) first[k] = i;
    if (++taken[k] == kShiftRows) --waiting;
    const T *row = task.x.data + i * task.x.stride, *other = task.x.data + first[k] * task.x.stride;
    for (std::int64_t j = 0; j < d; ++j) differences[k * d + j] += double(row[j]) - double(other[j]);
  }
  for (std::int64_t k = 0; k < task.classes; ++k) {
    if (taken[k] == 0) continue;
    const T* other = task.x.data + first[k] * task.x.stride;
    for (std::int64_t j = 0; j < d; ++j) shift[k * d + j] = double(other[j]) + differences[k * d + j] / taken[k];
  }
}

// sums: the weighted differences from the shift, then their squares.
template <class T>
bool sum_up(const MomentsTask<T>& task, const std::vector<double>& shift, Buffer<double>& sums) {
  const std::int64_t d = task.x.cols, size = task.classes * d;
  const int threads = threads_for_rows(task.x.rows, kRowsPerThread, task.threads);
  const MomentKernels<T>& kernels = moment_kernels<T>();
  const std::int64_t share = whole_lines<double>(2 * size);
  Buffer<double> others((threads - 1) * share);
  const std::int64_t panel = std::max<std::int64_t>(kSumBytes / std::int64_t(3 * sizeof(double)) / task.classes, 16);
  const std::int64_t block = panel >= d ? task.x.rows : kBlockBytes / std::int64_t(sizeof(T)) / d + 1;
  const bool finished = for_each_row_chunk(
      task.x.rows, kChunkWork / d + 1, 1, threads, task.stop, [&](int t, std::int64_t begin, std::int64_t end) {
        double* to = t == 0 ? sums.data() : others.data() + (t - 1) * share;
        for (std::int64_t row = begin; row < end; row += block) {
          for (std::int64_t first = 0; first < d; first += panel) {
            kernels.add(task.x, task.labels, task.weights, row, std::min(row + block, end), first,
                        std::min(first + panel, d), shift.data(), to, to + size);
          }
        }
      });
  for (int t = 1; t < threads; ++t) {
    const double* more = others.data() + (t - 1) * share;
    for (std::int64_t i = 0; i < 2 * size; ++i) sums.data()[i] += more[i];
  }
  return finished;
}

// Means and variances from the sums about a shift. Returns whether the shift was close enough to the means.
bool correct(const std::vector<double>& shift, const double* sums, std::int64_t features, ClassMoments& moments) {
  const double* squares = sums + shift.size();
  bool close = true;
  for (std::size_t i = 0; i < shift.size(); ++i) {
    const double weight = moments.weights[i / std::size_t(features)];
    if (std::fabs(weight) <= kNoWeight) continue;
    const double rest = sums[i] / weight, square = squares[i] / weight;
    const double variance = square - rest * rest;
    close = close && !(rest * rest > kMostCorrection * variance);
    moments.means[i] = shift[i] + rest;
    // Below 0 by rounding; or truly, where weights are negative.
    moments.variances[i] = variance < 0 && variance > -kRounding * square ? 0 : variance;
  }
  return close;
}

template <class T>
bool class_moments(const MomentsTask<T>& task, ClassMoments& moments) {
  const std::int64_t d = task.x.cols, size = task.classes * d;
  moments.counts.assign(task.classes, 0);
  moments.weights.assign(task.classes, 0);
  moments.means.assign(size, 0);
  moments.variances.assign(size, 0);
  for (std::int64_t i = 0; i < task.x.rows; ++i) {
    ++moments.counts[task.labels[i]];
    if (task.weights != nullptr) moments.weights[task.labels[i]] += double(task.weights[i]);
  }
  if (task.weights == nullptr) std::copy(moments.counts.begin(), moments.counts.end(), moments.weights.begin());

  std::vector<double> shift(size, 0.0);
  shift_to_first_rows(task, shift);
  Buffer<double> sums(2 * size);
  if (!sum_up(task, shift, sums)) return false;
  if (!correct(shift, sums.data(), d, moments)) {
    shift = moments.means;
    std::fill(sums.begin(), sums.end(), 0.0);
    if (!sum_up(task, shift, sums)) return false;
    correct(shift, sums.data(), d, moments);
  }
  return true;
}

// Of a feature over the rows of all classes together, from the moments of rows without weights.
double largest_spread(const ClassMoments& moments) {
  const std::size_t classes = moments.counts.size(), d = moments.means.size() / classes;
  double rows = 0, largest = 0;
  for (const std::int64_t count : moments.counts) rows += double(count);
  for (std::size_t j = 0; j < d; ++j) {
    std::size_t first = 0;
    while (moments.counts[first] == 0) ++first;
    const double origin = moments.means[first * d + j];
    double mean = 0, squares = 0;
    for (std::size_t k = first; k < classes; ++k) {
      mean += double(moments.counts[k]) / rows * (moments.means[k * d + j] - origin);
    }
    for (std::size_t k = first; k < classes; ++k) {
      if (moments.counts[k] == 0) continue;
      const double apart = moments.means[k * d + j] - origin - mean;
      squares += double(moments.counts[k]) / rows * (moments.variances[k * d + j] + apart * apart);
    }
    largest = largest >= squares ? largest : squares;  // NaN is taken, and stays
    if (largest != largest) break;
  }
  return largest;
}

void join(const ClassMoments& moments, double smoothing, const GaussianMoments& known) {
  const std::size_t classes = moments.counts.size(), d = moments.means.size() / classes;
  for (std::size_t k = 0; k < classes; ++k) {
    const double old_weight = known.weights[k], new_weight = moments.weights[k], weight = old_weight + new_weight;
    double *mean = known.means + k * d, *variance = known.variances + k * d;
    const double *new_mean = moments.means.data() + k * d, *new_variance = moments.variances.data() + k * d;
    for (std::size_t j = 0; j < d; ++j) variance[j] -= smoothing;
    known.weights[k] = weight;
    if (std::fabs(new_weight) <= kNoWeight) continue;
    if (old_weight == 0) {
      std::copy(new_mean, new_mean + d, mean);
      std::copy(new_variance, new_variance + d, variance);
      continue;
    }
    const double old_share = old_weight / weight, new_share = new_weight / weight;
    for (std::size_t j = 0; j < d; ++j) {
      // Not new_share * new_mean + old_share * mean: large means would lose the digits that they differ in.
      const double apart = new_mean[j] - mean[j];
      mean[j] += new_share * apart;
      variance[j] = old_share * variance[j] + new_share * new_variance[j] + old_share * new_share * apart * apart;
    }
  }
}

}  // namespace

template <class T>
bool add_moments(const MomentsTask<T>& task, double smoothing, const GaussianMoments& known, double* largest_variance) {
  ClassMoments moments;
  if (task.weights != nullptr) {
    MomentsTask<T> unweighted = task;
    unweighted.weights = nullptr;
    if (!class_moments(unweighted, moments)) return false;
    *largest_variance = largest_spread(moments);
    if (!class_moments(task, moments)) return false;
  } else {
    if (!class_moments(task, moments)) return false;
    *largest_variance = largest_spread(moments);
  }
  join(moments, smoothing == 0 ? 0 : smoothing * *largest_variance, known);
  return true;
}

template bool add_moments(const MomentsTask<float>&, double, const GaussianMoments&, double*);
template bool add_moments(const MomentsTask<double>&, double, const GaussianMoments&, double*);

}  // namespace fastml::bayes
