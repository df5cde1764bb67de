#include "linear/cross_products.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include "linear/cross_kernels.hpp"
#include "linear/some_mean.hpp"
#include "linear/tuning.hpp"
#include "runtime/buffer.hpp"

namespace fastml::linear {
namespace {

// Calls step(thread, begin, end) for chunks of [0, rows): the same chunks to the same thread in every run. With `shared`
// every thread is given all chunks. Returns false when stopped.
template <class Step>
bool over_threads(std::int64_t rows, std::int64_t chunk, int threads, bool shared, StopCheck stop, const Step& step) {
  const std::int64_t blocks = (rows + kCrossDepth - 1) / kCrossDepth;
  std::atomic<bool> stopped{false};
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t first = shared ? 0 : blocks * t / threads * kCrossDepth;
    const std::int64_t last = shared ? rows : std::min(blocks * (t + 1) / threads * kCrossDepth, rows);
    for (std::int64_t begin = first; begin < last && !stopped; begin += chunk) {
      step(t, begin, std::min(begin + chunk, last));
      if (t == 0 && stop != nullptr && stop()) stopped = true;
    }
  }
  return !stopped;
}

double work_of_row(std::int64_t features, std::int64_t targets) {
  return double(features) * (double(features) / 2 + double(targets) + 4);
}

std::int64_t chunk_rows(double row_work) {
  const auto rows = std::int64_t(std::max(kCrossChunkWork / row_work, 1.0));
  return (rows + kCrossDepth - 1) / kCrossDepth * kCrossDepth;
}

int threads_worth(double work, std::int64_t rows, int threads) {
  const std::int64_t blocks = (rows + kCrossDepth - 1) / kCrossDepth;
  const double most = std::min(work / kCrossWorkPerThread, double(blocks));
  return int(std::clamp(most, 1.0, double(std::max(threads, 1))));
}

template <class T>
std::vector<double> roots(const T* weights, std::int64_t rows) {
  std::vector<double> roots(weights ? rows : 0);
  for (std::size_t i = 0; i < roots.size(); ++i) roots[i] = std::sqrt(double(weights[i]));
  return roots;
}

// The sums about a shift, before they are corrected for the rest of the mean.
struct ShiftedSums {
  Buffer<double> products;
  std::vector<double> y_sums;
};

template <class T, class A>
bool sum_up(const CrossTask<T>& task, const CrossSamples<T, A>& samples, ShiftedSums& sums) {
  const CrossProductKernels<T, A>& kernels = cross_product_kernels<T, A>();
  const CrossLayout layout = kernels.layout;
  const std::int64_t d = task.features, targets = task.targets;
  const std::int64_t tiles = layout.tiles(d, targets), size = layout.size(d, targets);
  const std::int64_t panels = whole_lines<A>(layout.panels(d, targets, kCrossDepthOf<A>));
  const bool in_place = task.col_stride == 1 && task.columns == nullptr;
  const std::int64_t copied = in_place ? 0 : whole_lines<T>(kCrossDepthOf<A> * d);
  const double row_work = work_of_row(d, targets);
  int threads = threads_worth(row_work * double(task.rows), task.rows, task.threads);
  const bool shared = threads > 1 && threads * size > kMostPrivateSums;
  threads = int(std::min<std::int64_t>(threads, shared ? tiles : threads));

  // Of the private sums those of the first thread are the result's own.
  const std::int64_t part = whole_lines<double>(size + targets);
  Buffer<double> others(shared ? 0 : (threads - 1) * part);
  Buffer<A> panel_memory(threads * panels);
  Buffer<T> row_memory(threads * copied);
  const auto products_of = [&](int t) {
    return shared || t == 0 ? sums.products.data() : others.data() + (t - 1) * part;
  };
  const auto y_sums_of = [&](int t) -> double* {
    if (t == 0) return sums.y_sums.data();
    return shared ? nullptr : products_of(t) + size;
  };
  // Bands of rows of a triangle that hold as much of it each: their ends lie at square roots.
  const auto band = [&](int t) { return std::int64_t(double(tiles) * std::sqrt(double(t) / threads)); };
  const bool finished = over_threads(
      task.rows, chunk_rows(row_work), threads, shared, task.stop, [&](int t, std::int64_t begin, std::int64_t end) {
        const std::int64_t first = shared ? band(t) : 0;
        const std::int64_t last = !shared || t + 1 == threads ? tiles : band(t + 1);
        kernels.add_products(samples, begin, end, first, last, row_memory.data() + t * copied,
                             panel_memory.data() + t * panels, products_of(t), y_sums_of(t));
      });
  if (!finished) return false;
  for (int t = 1; t < threads && !shared; ++t) {
    const double* more = products_of(t);
    for (std::int64_t i = 0; i < size; ++i) sums.products.data()[i] += more[i];
    for (std::int64_t k = 0; k < targets; ++k) sums.y_sums[k] += more[size + k];
  }
  return true;
}

// Takes the rest of the mean out of the sums. Returns false where that cancels too much of them.
template <class T>
bool correct(const CrossTask<T>& task, const CrossLayout& layout, const ShiftedSums& sums, double weight, bool center,
             const CrossProducts& out) {
  const std::int64_t d = task.features, width = layout.width(d), first = layout.first_target(d);
  const double* products = sums.products.data();
  const double* x_sums = products + (first + task.targets) * width;
  bool exact = true;
  for (std::int64_t i = 0; i < d; ++i) {
    const double rest = center ? x_sums[i] / weight : 0;
    for (std::int64_t j = 0; j <= i; ++j) {
      const double product = products[i * width + j] - rest * x_sums[j];
      out.gram[i * d + j] = product;
      out.gram[j * d + i] = product;
    }
    exact = exact && !(rest * x_sums[i] > kMostCorrection * out.gram[i * d + i]);
    out.x_mean[i] += rest;
  }
  for (std::int64_t k = 0; k < task.targets; ++k) {
    const double rest = center ? sums.y_sums[k] / weight : 0;
    for (std::int64_t j = 0; j < d; ++j) {
      out.xy[k * d + j] = products[(first + k) * width + j] - rest * x_sums[j];
    }
    out.y_mean[k] += rest;
  }
  return exact;
}

// Of all columns, or of those that the task names.
template <class T, class A>
bool products_of_columns(const CrossTask<T>& task, bool center, const CrossProducts& out) {
  const CrossLayout layout = cross_product_kernels<T, A>().layout;
  const std::int64_t d = task.features;
  const std::vector<double> root_weights = roots(task.weights, task.rows);
  double weight = double(task.rows);
  if (task.weights) {
    weight = 0;
    for (std::int64_t i = 0; i < task.rows; ++i) weight += double(task.weights[i]);
  }
  std::fill(out.x_mean, out.x_mean + d, 0.0);
  std::fill(out.y_mean, out.y_mean + task.targets, 0.0);
  if (center) {
    for (std::int64_t j = 0; j < d; ++j) {
      const std::int64_t column = task.columns ? task.columns[j] : j;
      out.x_mean[j] = some_mean(task.x + column * task.col_stride, task.rows, task.row_stride);
    }
    for (std::int64_t k = 0; k < task.targets; ++k) out.y_mean[k] = some_mean(task.y + k, task.rows, task.targets);
  }
  std::vector<A> shift(d);
  const double* weights = task.weights ? root_weights.data() : nullptr;
  const CrossSamples<T, A> samples{task.x, task.row_stride, task.col_stride, task.rows, d,           shift.data(),
                                   task.y, task.targets,    out.y_mean,      weights,   task.columns};
  for (int attempt = 0;; ++attempt) {
    // The correction is about what is taken from X, which may be rounded.
    for (std::int64_t j = 0; j < d; ++j) out.x_mean[j] = shift[j] = A(out.x_mean[j]);
    ShiftedSums sums{Buffer<double>(layout.size(d, task.targets)), std::vector<double>(task.targets)};
    if (!sum_up(task, samples, sums)) return false;
    if (correct(task, layout, sums, weight, center, out) || attempt > 0) return true;
  }
}

// Columns of one finite value. Returns false when stopped.
template <class T>
bool find_constant(const CrossTask<T>& task, std::vector<std::int64_t>& columns) {
  for (std::int64_t j = 0; j < task.features; ++j) {
    if (std::isfinite(task.x[j * task.col_stride])) columns.push_back(j);
  }
  const int threads = threads_worth(double(task.rows) * double(task.features), task.rows, task.threads);
  std::vector<std::vector<std::int64_t>> found(threads, columns);
  const bool finished = over_threads(
      task.rows, chunk_rows(double(task.features)), threads, false, task.stop,
      [&](int t, std::int64_t begin, std::int64_t end) {
        // Most of them drop out with the first rows.
        for (std::int64_t i = begin; i < end && !found[t].empty(); ++i) {
          const T* row = task.x + i * task.row_stride;
          const auto varies = [&](std::int64_t j) { return row[j * task.col_stride] != task.x[j * task.col_stride]; };
          found[t].erase(std::remove_if(found[t].begin(), found[t].end(), varies), found[t].end());
        }
      });
  for (const std::vector<std::int64_t>& of_thread : found) {
    std::vector<std::int64_t> both;
    std::set_intersection(columns.begin(), columns.end(), of_thread.begin(), of_thread.end(), std::back_inserter(both));
    columns = std::move(both);
  }
  return finished;
}

// The products of the other columns; those with constant ones are zero.
template <class T, class A>
bool products_without(const std::vector<std::int64_t>& constant, const CrossTask<T>& task, const CrossProducts& out) {
  const std::int64_t d = task.features;
  std::vector<std::int64_t> all(d), columns;
  std::iota(all.begin(), all.end(), std::int64_t(0));
  std::set_difference(all.begin(), all.end(), constant.begin(), constant.end(), std::back_inserter(columns));
  const auto size = std::int64_t(columns.size());
  CrossTask<T> part = task;
  part.features = size;
  part.columns = columns.data();
  Buffer<double> gram(size * size);
  std::vector<double> xy(task.targets * size), x_mean(size);
  if (!products_of_columns<T, A>(part, true, {gram.data(), xy.data(), x_mean.data(), out.y_mean})) return false;

  std::fill(out.gram, out.gram + d * d, 0.0);
  std::fill(out.xy, out.xy + task.targets * d, 0.0);
  for (const std::int64_t j : constant) out.x_mean[j] = double(task.x[j * task.col_stride]);
  for (std::int64_t i = 0; i < size; ++i) {
    out.x_mean[columns[i]] = x_mean[i];
    for (std::int64_t j = 0; j < size; ++j) out.gram[columns[i] * d + columns[j]] = gram.data()[i * size + j];
    for (std::int64_t k = 0; k < task.targets; ++k) out.xy[k * d + columns[i]] = xy[k * size + i];
  }
  return true;
}

}  // namespace

template <class T, class A>
bool cross_products(const CrossTask<T>& task, bool center, const CrossProducts& out) {
  std::vector<std::int64_t> constant;
  if (center && task.col_stride == 1 && !find_constant(task, constant)) return false;
  const auto count = std::int64_t(constant.size());
  if (count<task.features&& double(count)> kLeastConstant * double(task.features)) {
    return products_without<T, A>(constant, task, out);
  }
  return products_of_columns<T, A>(task, center, out);
}

template <class T>
bool normal_residual(const CrossTask<T>& task, const double* x_mean, const double* y_mean, const double* coef,
                     double* gradient) {
  const CrossKernels<T>& kernels = cross_kernels<T>();
  const CrossLayout layout = kernels.layout;
  const std::int64_t d = task.features, targets = task.targets, width = layout.width(d);
  const std::vector<double> root_weights = roots(task.weights, task.rows);
  const CrossSamples<T> samples{
      task.x, task.row_stride, task.col_stride, task.rows, d,
      x_mean, task.y,          targets,         y_mean,    task.weights ? root_weights.data() : nullptr};
  const double row_work = double(d) * double(2 * targets + 4);
  const int threads = threads_worth(row_work * double(task.rows), task.rows, task.threads);
  const std::int64_t panels = whole_lines<double>(layout.panels(d, targets));
  const std::int64_t copied = task.col_stride == 1 ? 0 : whole_lines<T>(kCrossDepth * d);
  const std::int64_t part = whole_lines<double>(targets * width);
  Buffer<double> padded_coef(targets * width), sums(threads * part), panel_memory(threads * panels);
  Buffer<T> row_memory(threads * copied);
  for (std::int64_t k = 0; k < targets; ++k) std::copy_n(coef + k * d, d, padded_coef.data() + k * width);
  const bool finished = over_threads(
      task.rows, chunk_rows(row_work), threads, false, task.stop, [&](int t, std::int64_t begin, std::int64_t end) {
        kernels.add_gradient(samples, begin, end, padded_coef.data(), row_memory.data() + t * copied,
                             panel_memory.data() + t * panels, sums.data() + t * part);
      });
  if (!finished) return false;
  for (std::int64_t k = 0; k < targets; ++k) {
    for (std::int64_t j = 0; j < d; ++j) {
      double sum = 0;
      for (int t = 0; t < threads; ++t) sum += sums.data()[t * part + k * width + j];
      gradient[k * d + j] = sum;
    }
  }
  return true;
}

template bool cross_products<float, double>(const CrossTask<float>&, bool, const CrossProducts&);
template bool cross_products<float, float>(const CrossTask<float>&, bool, const CrossProducts&);
template bool cross_products<double, double>(const CrossTask<double>&, bool, const CrossProducts&);
template bool normal_residual(const CrossTask<float>&, const double*, const double*, const double*, double*);
template bool normal_residual(const CrossTask<double>&, const double*, const double*, const double*, double*);

}  // namespace fastml::linear
