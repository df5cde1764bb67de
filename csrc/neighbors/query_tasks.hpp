// Queries over threads: which block of queries and which rows are compared at a time, for every search that looks at
// all rows.
//
// `Lists` holds what is known of a block of queries while it is compared with a segment of the rows:
//
//   start(begin, count, first_row, end_row)   a new block, queries [begin, begin + count)
//   advance(work)                             compares it with some rows; false when none are left
//   nearest(i, part, distances, indices)      the answer for its query i
//   set_radius(radius, found)                 before start(), for rows within a radius
//   finish_within()                           after the last advance()
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <vector>

#include "neighbors/shortlists.hpp"
#include "neighbors/tuning.hpp"
#include "runtime/stop.hpp"

namespace fastml::neighbors {

// Queries are cut into blocks, and the fitted rows into segments where the blocks are too few for the threads. A task
// is a block and a segment.
struct QueryTasks {
  std::int64_t queries, block, blocks;
  std::int64_t rows, segment, segments;
  int threads;

  // `cols`: multiply-adds of a query and a row. `panel`: segments begin at a multiple of it.
  QueryTasks(std::int64_t queries_, std::int64_t rows_, std::int64_t cols, std::int64_t query_bytes, std::int64_t panel,
             int max_threads)
      : queries(queries_), rows(rows_) {
    // In whole tiles of every level, 84 = lcm(4, 6, 14); at least one tile of the tallest.
    const std::int64_t fit = kQueryBlockBytes / query_bytes;
    block = fit >= kQueryBlock ? kQueryBlock : fit >= 84 ? 84 : fit >= 42 ? 42 : 14;
    const double work = double(queries) * double(rows) * double(std::max<std::int64_t>(cols, 1));
    const double worth = std::max(1.0, work / double(kBruteWorkPerThread));
    threads = int(std::min<double>(std::max(max_threads, 1), worth));
    blocks = (queries + block - 1) / block;
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

// Calls finish(lists, task's first query, their number, its segment) for every task. Returns false when stopped.
// Rethrows what a task threw.
template <class Make, class Start, class Finish>
bool run_tasks(const QueryTasks& tasks, StopCheck stop, const Make& make, const Start& start, const Finish& finish) {
  std::vector<decltype(make(std::int64_t()))> lists_of_threads;
  for (int t = 0; t < tasks.threads; ++t) lists_of_threads.push_back(make(std::min(tasks.block, tasks.queries)));
  bool leave = false, stopped = false;
  std::int64_t next = 0;
  std::exception_ptr error;
#pragma omp parallel for num_threads(tasks.threads) if (tasks.threads > 1) schedule(static)
  for (int thread = 0; thread < tasks.threads; ++thread) {
    try {
      auto& lists = *lists_of_threads[thread];
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
        lists.start(first, count, begin, std::min(tasks.rows, begin + tasks.segment));
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

// The k nearest rows of each query. make(n) returns a pointer to Lists for blocks of up to n queries.
template <class Make>
bool nearest_by_tasks(const QueryTasks& tasks, std::int64_t k, StopCheck stop, const Make& make, double* distances,
                      std::int64_t* indices) {
  // Each segment's own answer, where there are several: segments x queries x k, rows -1 where a segment has fewer than
  // k.
  std::vector<RankedRow> parts(tasks.segments > 1 ? tasks.segments * tasks.queries * k : 0,
                               {std::numeric_limits<double>::infinity(), -1});
  const bool finished = run_tasks(
      tasks, stop, make, [](auto&, std::int64_t, std::int64_t) {},
      [&](auto& lists, std::int64_t first, std::int64_t count, std::int64_t segment) {
        for (std::int64_t i = 0; i < count; ++i) {
          RankedRow* part = parts.empty() ? nullptr : parts.data() + (segment * tasks.queries + first + i) * k;
          lists.nearest(i, part, distances + (first + i) * k, indices + (first + i) * k);
        }
      });
  if (!finished || parts.empty()) return finished;
  std::vector<RankedRow> all;
  for (std::int64_t i = 0; i < tasks.queries; ++i) {
    all.clear();
    for (std::int64_t segment = 0; segment < tasks.segments; ++segment) {
      const RankedRow* part = parts.data() + (segment * tasks.queries + i) * k;
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

// All rows within the radius of each query, by ascending index.
template <class Make>
bool within_by_tasks(const QueryTasks& tasks, double radius, StopCheck stop, const Make& make,
                     std::vector<std::vector<RankedRow>>& found) {
  found.assign(tasks.queries, {});
  // Segments of one query may run side by side and end in any order.
  std::vector<std::vector<RankedRow>> parts(tasks.segments > 1 ? tasks.segments * tasks.queries : 0);
  const bool finished = run_tasks(
      tasks, stop, make,
      [&](auto& lists, std::int64_t first, std::int64_t segment) {
        lists.set_radius(radius, (parts.empty() ? found.data() : parts.data() + segment * tasks.queries) + first);
      },
      [](auto& lists, std::int64_t, std::int64_t, std::int64_t) { lists.finish_within(); });
  if (!finished || parts.empty()) return finished;
  for (std::int64_t i = 0; i < tasks.queries; ++i) {
    for (std::int64_t segment = 0; segment < tasks.segments; ++segment) {
      const std::vector<RankedRow>& part = parts[segment * tasks.queries + i];
      found[i].insert(found[i].end(), part.begin(), part.end());
    }
  }
  return true;
}

}  // namespace fastml::neighbors
