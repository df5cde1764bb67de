// Blocks of 128 points compared by the fused product of the brute-force search: for many features.
//
// Pairs are screened in f32 with rigorous bounds (screened_rows.hpp); those that the bounds leave open are compared
// exactly. Points are put into the order of a k-d tree where the metric has one, so that blocks are compact, and blocks
// whose boxes are farther apart than the radius are not compared at all.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/block_pairs.hpp"
#include "neighbors/exact.hpp"
#include "neighbors/metric_options.hpp"
#include "neighbors/screened_rows.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stop.hpp"

namespace fastml::neighbors {

template <class T>
class TilePairs : public BlockPairs {
 public:
  // The metrics of dbscan(). Neighbours are those that BruteSearch::within finds. Copies the rows, and once more in
  // f32. Throws Stopped when stopped.
  TilePairs(const Rows<const T>& data, const MetricOptions& options, double radius, int threads,
            StopCheck stop = nullptr);

  std::int64_t points() const override { return rows_.rows; }
  int words() const override { return kMostBlockWords; }
  std::int64_t row(std::int64_t place) const override { return order_.empty() ? place : order_[place]; }
  void set_cores(const std::uint32_t* cores) override;
  void near(std::int64_t block, Side here, Side there, const Enter& enter,
            std::vector<std::int64_t>& blocks) const override;
  void compare(int thread, std::int64_t a, std::int64_t b, const std::uint32_t* active, std::uint32_t* masks) override;

  // Share of the pairs at a typical distance of the radius that the bounds would leave open, roughly: from 1 on,
  // screening is of no use.
  double open_share() const;

 private:
  // The points of a block that were last asked for, packed as tiles read them. One thread's.
  struct Scratch {
    Scratch(std::int64_t cols, std::int64_t features);
    std::int64_t block = -1;
    std::uint32_t packed[kMostBlockWords] = {};
    int count = 0;
    int point[kMostBlockPoints];      // of the block, by place in the tiles
    bool screened[kMostBlockPoints];  // by place
    float offset[kMostBlockPoints];   // the limit that belongs to the radius
    Shortlist lists[kMostBlockPoints];
    Buffer<float> centered, tiles, limits;
    std::vector<Candidate> candidates;
    Buffer<double> query, embedded;
    std::vector<std::int32_t> open;
    std::vector<double> sums;
  };

  // The rows as they are, or a copy of them in the order of a tree.
  Rows<const T> in_order(const Rows<const T>& data, int threads, StopCheck stop);
  std::vector<T> boxes_of(const std::uint32_t* points) const;
  bool are_far(const T* box, const T* other) const;
  void pack(Scratch& scratch, std::int64_t block, const std::uint32_t* active) const;
  void compare_exactly(Scratch& scratch, std::int64_t place, std::int64_t b, std::uint32_t* mask) const;

  MetricOptions options_;
  std::vector<double> weights_;      // of the metric, padded
  std::vector<std::int64_t> order_;  // the row in each place; empty: places are rows
  std::vector<T> copy_;
  Rows<const T> rows_;  // in order
  ScreenedRows<T> screened_;
  double reduced_;                     // what exact sums are compared with
  double tau_, certain_;               // scores: pairs above tau_ are no neighbours, those up to certain_ are
  std::vector<T> boxes_, core_boxes_;  // [block][feature][low, high]; empty where the metric has no boxes
  std::vector<Scratch> scratch_;
};

}  // namespace fastml::neighbors
