#include "tree/close_values.hpp"

#include <algorithm>

namespace fastml::tree {

CloseValues::CloseValues(const float* values, std::uint32_t count) {
  std::uint32_t steps = 0;
  for (std::uint32_t code = 0; code + 1 < count; ++code) {
    if (!same_value(values[code], values[code + 1])) {
      steps = 0;
      continue;
    }
    longest_ = std::max(longest_, ++steps);
    if (next_is_close_.empty()) next_is_close_.resize(count / 64 + 1);
    next_is_close_[code / 64] |= std::uint64_t(1) << code % 64;
    if (codes_.empty() || codes_.back() != code) {
      codes_.push_back(code);
      values_.push_back(values[code]);
    }
    codes_.push_back(code + 1);
    values_.push_back(values[code + 1]);
  }
  codes_.shrink_to_fit();
  values_.shrink_to_fit();
}

bool CloseValues::apart_in_run(std::uint32_t lower, std::uint32_t upper) const {
  const auto at = std::lower_bound(codes_.begin(), codes_.end(), lower) - codes_.begin();
  const std::uint64_t place = std::uint64_t(at) + (upper - lower);
  // Where a code in between is not kept, a gap that is wide enough lies beside it.
  if (place >= codes_.size() || codes_[place] != upper) return true;
  return !same_value(values_[at], values_[place]);
}

std::int64_t CloseValues::bytes() const {
  return std::int64_t(next_is_close_.size() * sizeof(std::uint64_t) + codes_.size() * sizeof(std::uint32_t) +
                      values_.size() * sizeof(float));
}

}  // namespace fastml::tree
