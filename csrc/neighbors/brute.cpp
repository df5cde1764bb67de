#include "neighbors/brute.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>

#include "neighbors/tuning.hpp"

namespace fastml::neighbors {
namespace {

// Queries are cut into blocks, and the fitted rows into segments where the blocks are too few for the threads. A task
// is a block and a segment.
struct Tasks {
  std::int64_t queries, block, blocks;
  std::int64_t rows, segment, segments;
  int threads;

  Tasks(std::int64_t queries_, std::int64_t rows_, std::int64_t cols, std::int64_t query_bytes, int max_threads)
      : queries(queries_), rows(rows_) {
    // In whole tiles of every level, 84 = lcm(4, 6, 14); at least one tile of the tallest.
    const std::int64_t fit = kQueryBlockBytes / query_bytes;
    block = fit >= kQueryBlock ? kQueryBlock : fit >= 84 ? 84 : fit >= 42 ? 42 : 14;
    const double work = double(queries) * double(rows) * double(std::max<std::int64_t>(cols, 1));
    const double worth = std::max(1.0, work / double(kBruteWorkPerThread));
    threads = int(std::min<double>(std::max(max_threads, 1), worth));
    blocks = (queries + block - 1) / block;
    const std::int64_t panel = brute_kernels().panel_rows;
    // Few blocks are evened out by smaller ones, and then by segments of the rows.
    while (threads > 1 && block > 14 && blocks < 4 * threads) {
      block = block == kQueryBlock ? 84 : block == 84 ? 42 : 14;
      blocks = (queries + block - 1) / block;
    }
    segments = 1;
    if (threads > 1 && blocks < 4 * threads) {
      segments = std::min<std::int64_t>((4 * threads + blocks - 1) / blocks, rows / kSegmentRows);
    }
    // Rows of a segment are counted in 32 bits.
    segments = std::max<std::int64_t>({segments, 1, (rows >> 30) + 1});
    segment = ((rows + segments - 1) / segments + panel - 1) / panel * panel;
    segments = (rows + segment - 1) / segment;
    threads = int(std::min<std::int64_t>(threads, blocks * segments));
  }
};

// Runs body(lists, task's queries, its rows) for every task, and finish(lists, ...) behind it. Returns false when
// stopped. Rethrows what a task threw.
template <class T, class Start, class Finish>
bool run(const Tasks& tasks, const SearchOf<T>& search, std::int64_t k, bool within, StopCheck stop,
         const Rows<const T>& queries, const Start& start, const Finish& finish) {
  std::vector<std::unique_ptr<Shortlists<T>>> shortlists;
  const std::int64_t most = std::min(tasks.block, tasks.queries);
  for (int t = 0; t < tasks.threads; ++t)
    shortlists.push_back(std::make_unique<Shortlists<T>>(search, k, most, within));
  bool leave = false, stopped = false;
  std::int64_t next = 0;
  std::exception_ptr error;
#pragma omp parallel for num_threads(tasks.threads) if (tasks.threads > 1) schedule(static)
  for (int thread = 0; thread < tasks.threads; ++thread) {
    try {
      Shortlists<T>& lists = *shortlists[thread];
      while (true) {
        bool left;
#pragma omp atomic read
        left = leave;
        std::int64_t task;
#pragma omp atomic capture
        task = next++;
        if (left || task >= tasks.blocks * tasks.segments) break;
        const std::int64_t first = task / tasks.segments * tasks.block, segment = task % tasks.segments;
        const std::int64_t count = std::min(tasks.block, tasks.queries - first);
        const std::int64_t begin = segment * tasks.segment;
        start(lists, first, segment);
        lists.start({queries.data + first * queries.stride, count, queries.cols, queries.stride}, begin,
                    std::min(tasks.rows, begin + tasks.segment));
        while (lists.advance(kBruteChunkWork)) {
          // Thread 0 of the team is the caller, which may call back into its interpreter.
          if (thread == 0 && stop != nullptr && stop()) {
            stopped = true;
#pragma omp atomic write
            leave = true;
          }
#pragma omp atomic read
          left = leave;
          if (left) break;
        }
        if (!left) finish(lists, first, count, segment);
      }
    } catch (...) {
#pragma omp critical(fastml_brute_error)
      error = std::current_exception();
#pragma omp atomic write
      leave = true;
    }
  }
  if (error) std::rethrow_exception(error);
  return !stopped;
}

}  // namespace

template <class T>
BruteSearch<T>::BruteSearch(const Rows<const T>& data, const MetricOptions& options, int threads)
    : data_(data), options_(options), screened_(data, options, threads) {
  const std::int64_t padded = (data.cols + kExactLanes - 1) / kExactLanes * kExactLanes;
  if (!options.weights.empty()) {
    weights_ = options.weights;
    weights_.resize(padded, 0.0);
  } else if (options.metric == Metric::seuclidean) {
    weights_ = options.scales;
    weights_.resize(padded, 1.0);
  } else if (options.metric == Metric::mahalanobis) {
    columns_.assign(data.cols * padded, 0.0);
    for (std::int64_t i = 0; i < data.cols; ++i) {
      for (std::int64_t j = 0; j < data.cols; ++j) columns_[j * padded + i] = options.scales[i * data.cols + j];
    }
  }
}

template <class T>
SearchOf<T> BruteSearch<T>::search() const {
  return {data_, &options_, &screened_, weights_.empty() ? nullptr : weights_.data(), columns_.data()};
}

template <class T>
bool BruteSearch<T>::nearest(const Rows<const T>& queries, std::int64_t k, int threads, StopCheck stop,
                             double* distances, std::int64_t* indices) const {
  if (queries.rows == 0 || k == 0) return true;
  const Tasks tasks(queries.rows, data_.rows, data_.cols, Shortlists<T>::bytes_per_query(k, data_.cols), threads);
  // Each segment's own answer, where there are several: segments x queries x k, rows -1 where a segment has fewer than
  // k.
  std::vector<RankedRow> parts(tasks.segments > 1 ? tasks.segments * queries.rows * k : 0,
                               {std::numeric_limits<double>::infinity(), -1});
  const bool finished = run<T>(
      tasks, search(), k, false, stop, queries, [](Shortlists<T>&, std::int64_t, std::int64_t) {},
      [&](Shortlists<T>& lists, std::int64_t first, std::int64_t count, std::int64_t segment) {
        for (std::int64_t i = 0; i < count; ++i) {
          RankedRow* part = parts.empty() ? nullptr : parts.data() + (segment * queries.rows + first + i) * k;
          lists.nearest(i, part, distances + (first + i) * k, indices + (first + i) * k);
        }
      });
  if (!finished || parts.empty()) return finished;
  std::vector<RankedRow> all;
  for (std::int64_t i = 0; i < queries.rows; ++i) {
    all.clear();
    for (std::int64_t segment = 0; segment < tasks.segments; ++segment) {
      const RankedRow* part = parts.data() + (segment * queries.rows + i) * k;
      for (std::int64_t c = 0; c < k && part[c].row >= 0; ++c) all.push_back(part[c]);
    }
    std::partial_sort(all.begin(), all.begin() + k, all.end());
    for (std::int64_t c = 0; c < k; ++c) {
      distances[i * k + c] = all[c].distance;
      indices[i * k + c] = all[c].row;
    }
  }
  return true;
}

template <class T>
bool BruteSearch<T>::within(const Rows<const T>& queries, double radius, int threads, StopCheck stop,
                            std::vector<std::vector<RankedRow>>& found) const {
  found.assign(queries.rows, {});
  if (queries.rows == 0) return true;
  constexpr std::int64_t listed = 128;  // candidates of a query between two visits of the exact kernel
  const Tasks tasks(queries.rows, data_.rows, data_.cols, Shortlists<T>::bytes_per_query(listed, data_.cols), threads);
  // Segments of one query may run side by side and end in any order.
  std::vector<std::vector<RankedRow>> parts(tasks.segments > 1 ? tasks.segments * queries.rows : 0);
  const bool finished = run<T>(
      tasks, search(), listed, true, stop, queries,
      [&](Shortlists<T>& lists, std::int64_t first, std::int64_t segment) {
        lists.set_radius(radius, (parts.empty() ? found.data() : parts.data() + segment * queries.rows) + first);
      },
      [](Shortlists<T>& lists, std::int64_t, std::int64_t, std::int64_t) { lists.finish_within(); });
  if (!finished || parts.empty()) return finished;
  for (std::int64_t i = 0; i < queries.rows; ++i) {
    for (std::int64_t segment = 0; segment < tasks.segments; ++segment) {
      const std::vector<RankedRow>& part = parts[segment * queries.rows + i];
      found[i].insert(found[i].end(), part.begin(), part.end());
    }
  }
  return true;
}

std::int64_t offsets_of(const std::vector<std::vector<RankedRow>>& found, std::int64_t* offsets) {
  std::int64_t total = 0;
  for (const std::vector<RankedRow>& list : found) {
    *offsets++ = total;
    total += std::int64_t(list.size());
  }
  *offsets = total;
  return total;
}

void unpack(std::vector<std::vector<RankedRow>>& found, bool sorted, double* distances, std::int64_t* indices) {
  for (std::vector<RankedRow>& list : found) {
    if (sorted) std::sort(list.begin(), list.end());
    for (const RankedRow& neighbor : list) {
      *distances++ = neighbor.distance;
      *indices++ = neighbor.row;
    }
    std::vector<RankedRow>().swap(list);
  }
}

template class BruteSearch<float>;
template class BruteSearch<double>;

}  // namespace fastml::neighbors
