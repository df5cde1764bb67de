#include "bayes/category_counts.hpp"

#include <algorithm>
#include <atomic>
#include <limits>

#include "bayes/row_chunks.hpp"
#include "bayes/tuning.hpp"
#include "runtime/buffer.hpp"

namespace fastml::bayes {
namespace {

// Returns whether all values are categories; others are not counted.
bool add_rows(const CategoryCountTask& task, std::int64_t begin, std::int64_t end, double* counts) {
  bool known = true;
  const std::int64_t d = task.x.cols, columns = task.offsets[d];
  for (std::int64_t i = begin; i < end; ++i) {
    if (task.labels[i] == task.classes) continue;
    const std::int64_t* row = task.x.data + i * task.x.stride;
    double* count = counts + task.labels[i] * columns;
    const double weight = task.weights == nullptr ? 1.0 : task.weights[i];
    for (std::int64_t j = 0; j < d; ++j) {
      const bool is_category = row[j] >= 0 && row[j] < task.offsets[j + 1] - task.offsets[j];
      known = known && is_category;
      if (is_category) count[task.offsets[j] + row[j]] += weight;
    }
  }
  return known;
}

}  // namespace

std::int64_t largest_categories(Rows<const std::int64_t> x, int threads, std::int64_t* largest) {
  const std::int64_t d = x.cols;
  const int team = threads_for_sums(x.rows * d, d, threads);
  const std::int64_t share = whole_lines<std::int64_t>(d + 1);
  Buffer<std::int64_t> memory(team * share);
  for_each_row_chunk(x.rows, x.rows, 1, team, nullptr, [&](int t, std::int64_t begin, std::int64_t end) {
    std::int64_t *most = memory.data() + t * share, least = std::numeric_limits<std::int64_t>::max();
    std::copy(x.data + begin * x.stride, x.data + begin * x.stride + d, most);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t* row = x.data + i * x.stride;
      for (std::int64_t j = 0; j < d; ++j) {
        most[j] = std::max(most[j], row[j]);
        least = std::min(least, row[j]);
      }
    }
    most[d] = least;
  });
  std::copy(memory.data(), memory.data() + d, largest);
  std::int64_t least = memory.data()[d];
  for (int t = 1; t < team; ++t) {
    const std::int64_t* most = memory.data() + t * share;
    for (std::int64_t j = 0; j < d; ++j) largest[j] = std::max(largest[j], most[j]);
    least = std::min(least, most[d]);
  }
  return least;
}

CategoryResult count_categories(const CategoryCountTask& task, double* counts) {
  const std::int64_t d = task.x.cols, size = task.classes * task.offsets[d];
  const int threads = threads_for_sums(task.x.rows * d, size, task.threads);
  const std::int64_t share = whole_lines<double>(size);
  Buffer<double> others((threads - 1) * share);
  std::fill(counts, counts + size, 0.0);
  std::atomic<bool> known{true};
  const bool finished = for_each_row_chunk(task.x.rows, kChunkWork / d + 1, 1, threads, task.stop,
                                           [&](int t, std::int64_t begin, std::int64_t end) {
                                             double* to = t == 0 ? counts : others.data() + (t - 1) * share;
                                             if (!add_rows(task, begin, end, to)) known = false;
                                           });
  for (int t = 1; t < threads; ++t) {
    const double* more = others.data() + (t - 1) * share;
    for (std::int64_t i = 0; i < size; ++i) counts[i] += more[i];
  }
  if (!finished) return CategoryResult::stopped;
  return known ? CategoryResult::known : CategoryResult::unknown;
}

}  // namespace fastml::bayes
