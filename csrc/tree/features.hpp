// The samples as trees look at them: by feature, encoded once for all the trees grown on them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tree/close_values.hpp"
#include "tree/sparse_features.hpp"

namespace fastml::tree {

struct SampleMatrix {
  const float* data;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t row_stride;  // strides count elements
  std::int64_t col_stride;
};

// How features are kept. Random splits compare values; best splits compare ranks (which sort faster and count), and grow
// whole trees from the order of the samples by each feature. Sparse samples are kept as such.
enum class Encoding { values, ranks, sorted, sparse };

// A feature in ranks: the code of a value is its place among the feature's distinct values; equal codes, equal values.
// NaN is the code `distinct`, above all others.
struct RankedFeature {
  std::uint32_t distinct = 0;
  bool has_missing = false;
  bool separated = true;                 // no two distinct values are the same_value()
  const float* values = nullptr;         // of each code, ascending; null where they are many (kMostTabled)
  const std::uint32_t* order = nullptr;  // samples by code, then by number; null unless Encoding::sorted
  CloseValues close;                     // empty where they are separated
  const float* column = nullptr;         // of X
  std::int64_t stride = 0;

  // Whether a threshold fits between two values.
  bool apart(std::uint32_t lower, std::uint32_t upper) const {
    return lower < upper && (separated || close.apart(lower, upper));
  }
  float value_of(std::uint32_t sample) const { return column[sample * stride] + 0.0f; }  // -0 is 0
};

// Where a split is made whose sides meet at the values of two samples.
inline double threshold_between(const RankedFeature& feature, std::uint32_t lower, std::uint32_t upper) {
  return feature.value_of(lower) / 2.0 + feature.value_of(upper) / 2.0;
}

class Features {
 public:
  // Borrows x. Throws std::bad_alloc; std::length_error for 2^32 - 1 samples or more.
  Features(const SampleMatrix& x, Encoding encoding, int threads);
  // Of sparse samples, which are not kept: for best splits if `in_order`, else for random ones.
  Features(const SparseMatrix& x, bool in_order);

  std::int64_t samples() const { return samples_; }
  std::int64_t count() const { return count_; }
  Encoding encoding() const { return encoding_; }
  std::int64_t bytes() const;
  const SparseFeatures* sparse() const { return sparse_.get(); }  // null unless Encoding::sparse

  const RankedFeature& ranked(std::int64_t feature) const { return ranked_[feature]; }
  // Calls run(codes, stride): the code of sample i is codes[i * stride], of 16 or 32 bits.
  template <class Run>
  auto with_codes(std::int64_t feature, const Run& run) const {
    const std::int64_t at = feature * feature_step_;
    return wide_.empty() ? run(narrow_.data() + at, sample_step_) : run(wide_.data() + at, sample_step_);
  }

  // Calls run(codes, sample_step, feature_step): the code of sample i by feature f is codes[i * sample_step + f * feature_step].
  template <class Run>
  auto with_codes(const Run& run) const {
    return wide_.empty() ? run(narrow_.data(), sample_step_, feature_step_)
                         : run(wide_.data(), sample_step_, feature_step_);
  }

  // The value of sample i is column(feature)[i * stride()].
  const float* column(std::int64_t feature) const { return values_ + feature * feature_step_; }
  std::int64_t stride() const { return sample_step_; }
  bool has_missing(std::int64_t feature) const { return has_missing_[feature]; }

 private:
  struct Storage {
    std::vector<std::uint32_t> order;
    std::vector<float> values;
  };
  void lay_out(std::int64_t item_bytes);
  void keep_values(const SampleMatrix& x);
  void keep_ranks(const SampleMatrix& x, int threads);
  struct Scratch;
  void rank(const float* column, std::int64_t feature, Scratch& scratch);

  std::int64_t samples_;
  std::int64_t count_;
  Encoding encoding_;
  std::int64_t sample_step_ = 0, feature_step_ = 0;  // between elements of codes or values
  const float* values_ = nullptr;
  std::vector<std::uint8_t> has_missing_;
  std::vector<std::uint16_t> narrow_;  // one of the two is empty
  std::vector<std::uint32_t> wide_;
  std::vector<Storage> storage_;
  std::vector<RankedFeature> ranked_;
  std::unique_ptr<SparseFeatures> sparse_;
};

}  // namespace fastml::tree
