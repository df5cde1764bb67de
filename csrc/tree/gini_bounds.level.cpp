#include "tree/gini_bounds.hpp"

#include <cstring>
#include <limits>

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

constexpr int kStep = kLanes<double>;
static_assert(kStep <= tree::kBoundsPadding);

// The criterion with `left` on the left, `left_1` of it of class 1.
FASTML_INLINE vec<double> criterion(vec<double> left, vec<double> left_1, vec<double> total, vec<double> total_1) {
  const vec<double> right = total - left, right_1 = total_1 - left_1;
  const vec<double> left_0 = left - left_1, right_0 = right - right_1;
  const vec<double> value =
      (left_0 * left_0 + left_1 * left_1) / left + (right_0 * right_0 + right_1 * right_1) / right;
  const vec<double> none = broadcast(-std::numeric_limits<double>::infinity()), zero = broadcast(0.0);
  return select<double>(ivec<double>(left > zero), select<double>(ivec<double>(right > zero), value, none), none);
}

void bounds(const double* left, const double* left_1, std::int64_t buckets, double* edges, double* bounds) {
  const vec<double> total = broadcast(left[buckets]), total_1 = broadcast(left_1[buckets]);
  for (std::int64_t b = 0; b <= buckets; b += kStep) {
    store(edges + b, criterion(load(left + b), load(left_1 + b), total, total_1));
  }
  for (std::int64_t b = 0; b < buckets; b += kStep) {
    // The box of left weights that the bucket spans has four corners: its two edges, and one class first, or the other.
    const vec<double> before_1 = load(left_1 + b), after_1 = load(left_1 + b + 1);
    const vec<double> before_0 = load(left + b) - before_1, after_0 = load(left + b + 1) - after_1;
    const vec<double> corners = maximum<double>(criterion(after_0 + before_1, before_1, total, total_1),
                                                criterion(before_0 + after_1, after_1, total, total_1));
    store(bounds + b, maximum<double>(corners, maximum<double>(load(edges + b), load(edges + b + 1))));
  }
}

// Of whole numbers below 2^52: there is no instruction for it before AVX-512.
FASTML_INLINE vec<double> to_double(ivec<double> x) {
  const ivec<double> bits = x | broadcast_integer<double>(0x4330000000000000);  // 2^52, and x in the last bits
  vec<double> sum;
  std::memcpy(&sum, &bits, sizeof sum);
  return sum - broadcast(0x1p52);
}

void reaching(const std::uint64_t* sums, std::int64_t count, double total, double total_1, double bar,
              std::uint8_t* reach) {
  using Bytes = typename VectorOf<std::int8_t, kStep>::type;
  const ivec<double> low = broadcast_integer<double>(0xffffffff);
  for (std::int64_t i = 0; i < count; i += kStep) {
    ivec<double> sum;
    std::memcpy(&sum, sums + i, sizeof sum);
    const vec<double> left = to_double(sum >> 32), left_1 = to_double(sum & low), left_0 = left - left_1;
    const vec<double> right = total - left, right_1 = total_1 - left_1, right_0 = right - right_1;
    const vec<double> product = left * right;
    const vec<double> value =
        (left_0 * left_0 + left_1 * left_1) * right + (right_0 * right_0 + right_1 * right_1) * left;
    const ivec<double> reached = ivec<double>(value >= bar * product) & ivec<double>(product > broadcast(0.0));
    const Bytes bytes = __builtin_convertvector(reached, Bytes);
    std::memcpy(reach + i, &bytes, sizeof bytes);
  }
}

}  // namespace

extern const tree::GiniBoundKernels gini_bound_table;
const tree::GiniBoundKernels gini_bound_table{bounds, reaching};

}  // namespace FASTML_LEVEL
}  // namespace fastml
