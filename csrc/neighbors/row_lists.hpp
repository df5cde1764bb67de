// Candidates of a block of queries whose sums of terms are bounded in double, or known. One thread's scratch memory.
//
// The rows of a segment are offered by ascending index. So a row whose sum is not below that of k earlier ones is not
// among the nearest: of equally far rows the first ones count.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "neighbors/metric_options.hpp"
#include "neighbors/ranked_rows.hpp"

namespace fastml::neighbors {

class RowLists {
 public:
  // The k nearest of each query: `within` false. All within a radius: `within` true, `k` the length of lists.
  RowLists(const MetricOptions& options, std::int64_t k, std::int64_t most_queries, bool within);
  virtual ~RowLists() = default;
  RowLists(const RowLists&) = delete;
  RowLists& operator=(const RowLists&) = delete;

  // What a query costs, in bytes.
  static std::int64_t bytes_per_query(std::int64_t k) { return capacity_of(k) * std::int64_t(sizeof(Bounded)); }

  // As those of Shortlists.
  void set_radius(double radius, std::vector<RankedRow>* found);
  void nearest(std::int64_t i, RankedRow* part, double* distances, std::int64_t* indices);
  void finish_within();

 protected:
  struct Bounded {
    double low, up;  // of the sum, as it would be computed
    std::int32_t row;
  };

  void start_lists(std::int64_t queries, std::int64_t segment_begin);
  // Takes up a row whose sum lies between the bounds.
  void offer(std::int64_t i, double low, double up, std::int64_t row);
  const double* limits() const { return limits_.data(); }
  const MetricOptions& options() const { return options_; }

  // The sum of query i and a row that was offered.
  virtual double exact_sum(std::int64_t i, const Bounded& row) = 0;

 private:
  static std::int64_t capacity_of(std::int64_t k) { return 2 * k + 48; }
  Bounded* list(std::int64_t i) { return rows_.data() + i * capacity_; }
  void make_room(std::int64_t i);
  void compare_exactly(std::int64_t i);
  void keep_best(std::int64_t i);
  void pass_on(std::int64_t i);

  const MetricOptions& options_;
  std::int64_t k_, capacity_, queries_ = 0, segment_begin_ = 0;
  bool within_;
  double radius_ = 0;
  std::vector<RankedRow>* found_ = nullptr;
  std::vector<Bounded> rows_;
  std::vector<std::int64_t> counts_;
  // k rows are known whose sums are at most this; NaN while they are not.
  std::vector<double> limits_;
  std::vector<ComparedRow> compared_;
};

}  // namespace fastml::neighbors
