// The random numbers of scikit-learn's splitter: Marsaglia's 32-bit xorshift (2003), kept to 31 bits.
#pragma once

#include <cstdint>

namespace fastml::tree {

class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed) {}

  // In [low, high). The remainder's slight bias is part of the sequence to be matched.
  std::int64_t integer(std::int64_t low, std::int64_t high) { return low + next() % (high - low); }

  // In [low, high].
  double uniform(double low, double high) { return (high - low) * double(next()) / double(kLargest) + low; }
  void skip() { next(); }

 private:
  static constexpr std::uint32_t kLargest = 0x7fffffff;

  std::int64_t next() {
    if (state_ == 0) state_ = 1;
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_ & kLargest;
  }

  std::uint32_t state_;
};

}  // namespace fastml::tree
