// Which distinct values of a feature are so close to each other that no threshold is put between them.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml::tree {

// Values no farther apart than this (in single precision) are taken as equal.
inline constexpr float kSameValue = 1e-7f;
inline bool same_value(float lower, float upper) { return upper <= lower + kSameValue; }

// Values of continuous features have few such neighbours: a bit for each value says whether the next one is close, and only
// the close ones themselves are kept.
class CloseValues {
 public:
  CloseValues() = default;
  // `values`: ascending, of each code.
  CloseValues(const float* values, std::uint32_t count);

  bool empty() const { return codes_.empty(); }
  // Whether the values of two codes, lower < upper, are farther apart than that.
  bool apart(std::uint32_t lower, std::uint32_t upper) const {
    return (next_is_close_[lower / 64] >> lower % 64 & 1) == 0 || apart_in_run(lower, upper);
  }
  // Codes farther apart than this have values that are.
  std::uint32_t longest() const { return longest_; }
  std::int64_t bytes() const;

 private:
  bool apart_in_run(std::uint32_t lower, std::uint32_t upper) const;

  std::uint32_t longest_ = 0;  // steps from value to close value in a row
  std::vector<std::uint64_t> next_is_close_;
  std::vector<std::uint32_t> codes_;  // ascending: those that are close to the one before or after
  std::vector<float> values_;         // theirs
};

}  // namespace fastml::tree
