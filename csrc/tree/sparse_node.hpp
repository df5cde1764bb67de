// The entries of sparse features within a node, and the places of its samples.
#pragma once

#include <cstdint>
#include <vector>

#include "tree/close_values.hpp"
#include "tree/sparse_features.hpp"

namespace fastml::tree {

// A sparse feature as the samples of a node have it. The zeros, which have no entries, are what is left of `count`.
struct SparseFeature {
  std::int64_t index;
  const std::uint32_t* samples;  // of the entries
  const float* values;
  std::int64_t entries;
  std::int64_t negative;       // entries below zero: the first, where entries stand by value
  std::int64_t count;          // samples of the node
  const std::uint32_t* order;  // all samples of the node by value; null where nobody asked for it

  std::int64_t zeros() const { return count - entries; }

  // For entries that stand by value.
  float low() const { return negative > 0 || zeros() == 0 ? values[0] : 0.0f; }
  float high() const { return negative < entries || zeros() == 0 ? values[entries - 1] : 0.0f; }
  // Calls visit(left, lower, upper) for each place a threshold fits at, between these values: `left` samples are below.
  template <class Visit>
  void each_split(const Visit& visit) const {
    const auto between = [&](std::int64_t left, float lower, float upper) {
      if (!same_value(lower, upper)) visit(left, lower, upper);
    };
    for (std::int64_t i = 1; i < negative; ++i) between(i, values[i - 1], values[i]);
    if (zeros() > 0) {
      if (negative > 0) between(negative, values[negative - 1], 0.0f);
      if (negative < entries) between(negative + zeros(), 0.0f, values[negative]);
    } else if (0 < negative && negative < entries) {
      between(negative, values[negative - 1], values[negative]);
    }
    for (std::int64_t i = negative + 1; i < entries; ++i) between(zeros() + i, values[i - 1], values[i]);
  }
};

// Finds a feature's entries in the current node by walking its column and looking where each sample lies, or, where the
// node's rows are less to read than the columns it will look at, in the rows, sorted by feature once for the node.
class SparseNode {
 public:
  // Samples of the tree as the splitter keeps them, with what the criterion keeps of each (or null): both are moved.
  // `arrange`: whether samples are put where scikit-learn's splitter puts them, for sums that depend on their order.
  SparseNode(const SparseFeatures& features, std::vector<std::uint32_t>& samples, std::uint64_t* items, bool arrange);

  // Makes samples [begin, end) the current node, of which about so many columns will be asked for.
  void start(std::int64_t begin, std::int64_t end, std::int64_t columns);

  // Valid until the next call. Where samples are arranged, all of these move them: those with negative values to the front,
  // with positive ones to the end.
  SparseFeature by_value(std::int64_t feature);
  SparseFeature by_sample(std::int64_t feature);

  // The samples of the entries that by_sample() found on the side of zero that the threshold is on and beyond it: on the
  // left of a negative threshold, else on the right. Returns how many samples go left.
  std::int64_t select(double threshold);
  const std::vector<std::uint32_t>& selected() const { return selected_; }

  // Parts the samples by the feature that by_sample() was last asked for. Returns how many go left.
  std::int64_t part(double threshold);
  // Whether the samples lie as part() left them, by this feature; and how many went left.
  bool parted_by(std::int64_t feature) const { return feature == parted_; }
  std::int64_t left() const { return left_; }

 private:
  bool inside(std::uint32_t sample) const { return places_[sample] - std::uint32_t(begin_) < std::uint32_t(count_); }
  void gather_rows();
  void collect_by_value(std::int64_t feature);
  void collect_by_sample(std::int64_t feature);
  void walk(std::int64_t feature);
  void take_found();
  void count_negative();
  SparseFeature collected(std::int64_t feature) const;
  void arrange();
  void put(std::uint32_t sample, std::int64_t place);

  const SparseFeatures& features_;
  std::vector<std::uint32_t>& samples_;
  std::uint64_t* items_;
  const bool arrange_;
  std::int64_t begin_ = 0, count_ = 0;
  std::vector<std::uint32_t> places_;  // of each sample of X among samples_

  // The entries last collected.
  std::vector<std::uint32_t> found_;
  std::vector<std::uint32_t> found_samples_, selected_;
  std::vector<float> found_values_, placed_values_;
  std::int64_t found_count_ = 0, negative_ = 0;

  bool by_rows_ = false;
  struct Bucket {
    std::uint32_t end, size;
  };
  std::vector<Bucket> buckets_;         // of each feature
  std::vector<std::uint32_t> touched_;  // features whose bucket is not empty
  std::vector<std::uint32_t> bucketed_, ascending_;

  std::int64_t asked_ = -1, parted_ = -1, left_ = 0;
};

}  // namespace fastml::tree
