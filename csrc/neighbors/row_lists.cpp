#include "neighbors/row_lists.hpp"

#include <algorithm>
#include <cmath>

#include "neighbors/exact.hpp"

namespace fastml::neighbors {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// NaN is larger than anything.
bool below(double a, double b) { return a < b || (b != b && a == a); }

}  // namespace

RowLists::RowLists(const MetricOptions& options, std::int64_t k, std::int64_t most_queries, bool within)
    : options_(options),
      k_(k),
      capacity_(capacity_of(k)),
      within_(within),
      rows_(most_queries * capacity_),
      counts_(most_queries),
      limits_(most_queries),
      compared_(capacity_) {}

void RowLists::set_radius(double radius, std::vector<RankedRow>* found) {
  radius_ = radius;
  found_ = found;
}

void RowLists::start_lists(std::int64_t queries, std::int64_t segment_begin) {
  queries_ = queries;
  segment_begin_ = segment_begin;
  std::fill(counts_.begin(), counts_.end(), 0);
  double limit = kUnknown;
  if (within_) {
    // A little above the radius: the sum of a distance is rounded.
    limit = std::nextafter(sum_of_distance(options_, radius_) * (1 + 1e-12), kInfinity);
    if (limit == kInfinity) limit = kUnknown;
  }
  std::fill(limits_.begin(), limits_.end(), limit);
}

void RowLists::offer(std::int64_t i, double low, double up, std::int64_t row) {
  if (counts_[i] == capacity_) {
    make_room(i);
    if (low >= limits_[i]) return;
  }
  list(i)[counts_[i]++] = {low, up, std::int32_t(row - segment_begin_)};
}

void RowLists::make_room(std::int64_t i) {
  if (within_) return pass_on(i);
  Bounded* rows = list(i);
  std::nth_element(rows, rows + k_ - 1, rows + counts_[i],
                   [](const Bounded& a, const Bounded& b) { return below(a.up, b.up); });
  const double most = rows[k_ - 1].up;
  if (below(most, limits_[i])) limits_[i] = most;
  const double limit = limits_[i];
  if (limit == limit) {
    counts_[i] =
        std::remove_if(rows, rows + counts_[i], [limit](const Bounded& row) { return below(limit, row.low); }) - rows;
  }
  if (counts_[i] > k_ + (capacity_ - k_) / 2) keep_best(i);
}

void RowLists::compare_exactly(std::int64_t i) {
  for (std::int64_t c = 0; c < counts_[i]; ++c) {
    const Bounded& row = list(i)[c];
    const double sum = exact_sum(i, row);
    compared_[c] = {{finish_distance(options_, sum), row.row}, sum};
  }
}

// Compares all rows of list i exactly and keeps the k nearest.
void RowLists::keep_best(std::int64_t i) {
  compare_exactly(i);
  std::nth_element(compared_.begin(), compared_.begin() + k_ - 1, compared_.begin() + counts_[i]);
  counts_[i] = k_;
  double most = 0;
  for (std::int64_t c = 0; c < k_; ++c) {
    const ComparedRow& row = compared_[c];
    list(i)[c] = {row.sum, row.sum, std::int32_t(row.neighbor.row)};
    if (below(most, row.sum)) most = row.sum;
  }
  if (below(most, limits_[i])) limits_[i] = most;
}

void RowLists::pass_on(std::int64_t i) {
  compare_exactly(i);
  for (std::int64_t c = 0; c < counts_[i]; ++c) {
    const RankedRow& neighbor = compared_[c].neighbor;
    if (!is_within(options_, compared_[c].sum, neighbor.distance, radius_)) continue;
    found_[i].push_back({neighbor.distance, segment_begin_ + neighbor.row});
  }
  counts_[i] = 0;
}

void RowLists::nearest(std::int64_t i, RankedRow* part, double* distances, std::int64_t* indices) {
  if (counts_[i] > k_) make_room(i);
  compare_exactly(i);
  write_nearest(compared_, counts_[i], k_, segment_begin_, part, distances, indices);
}

void RowLists::finish_within() {
  for (std::int64_t i = 0; i < queries_; ++i) pass_on(i);
}

}  // namespace fastml::neighbors
