#include "tree/value_passes.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

void range(const float* values, std::int64_t count, float& low, float& high) {
  std::int64_t i = 0;
  if constexpr (kLanes<float> > 1) {
    vec<float> lows = broadcast(low), highs = broadcast(high);
    for (; i + kLanes<float> <= count; i += kLanes<float>) {
      const vec<float> v = load(values + i);
      lows = select<float>(v < lows, v, lows);
      highs = select<float>(v > highs, v, highs);
    }
    for (int lane = 0; lane < kLanes<float>; ++lane) {
      low = lows[lane] < low ? lows[lane] : low;
      high = highs[lane] > high ? highs[lane] : high;
    }
  }
  for (; i < count; ++i) {
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
}

std::uint64_t sum_below(const float* values, const std::uint64_t* items, std::int64_t count, float threshold,
                        bool missing_left, std::int64_t& taken) {
  std::uint64_t sum = 0;
  std::int64_t taken_here = 0, i = 0;
  // What goes left is what is not above the threshold, or what is at most: they differ for NaN.
  if constexpr (kLanes<double> > 1) {
    constexpr int lanes = kLanes<double>;
    using Floats = typename VectorOf<float, lanes>::type;
    using Items = typename VectorOf<std::int64_t, lanes>::type;
    Items sums = {}, takens = {};
    for (; i + lanes <= count; i += lanes) {
      const Floats v = load_run<lanes>(values + i);
      const auto below = missing_left ? ~(v > threshold) : (v <= threshold);
      const Items mask = __builtin_convertvector(below, Items);
      sums += load_run<lanes>(reinterpret_cast<const std::int64_t*>(items + i)) & mask;
      takens -= mask;
    }
    for (int lane = 0; lane < lanes; ++lane) {
      sum += std::uint64_t(sums[lane]);
      taken_here += takens[lane];
    }
  }
  for (; i < count; ++i) {
    const bool goes = missing_left ? !(values[i] > threshold) : values[i] <= threshold;
    sum += items[i] & -std::uint64_t(goes);
    taken_here += goes;
  }
  taken = taken_here;
  return sum;
}

bool any_reaches(const double* sums, const double* weights, std::int64_t count, double total, double weight,
                 double bar) {
  std::int64_t i = 0;
  if constexpr (kLanes<double> > 1) {
    decltype(vec<double>() >= vec<double>()) any = {};
    for (; i + kLanes<double> <= count; i += kLanes<double>) {
      const vec<double> sum = load(sums + i), left = load(weights + i), right_sum = total - sum, right = weight - left;
      any |= sum * sum * right + right_sum * right_sum * left >= bar * (left * right);
    }
    bool found = false;
    for (int lane = 0; lane < kLanes<double>; ++lane) found |= any[lane] != 0;
    if (found) return true;
  }
  for (; i < count; ++i) {
    const double right_sum = total - sums[i], right = weight - weights[i];
    if (sums[i] * sums[i] * right + right_sum * right_sum * weights[i] >= bar * (weights[i] * right)) return true;
  }
  return false;
}

}  // namespace

extern const tree::ValueKernels tree_value_table;
const tree::ValueKernels tree_value_table{range, sum_below, any_reaches};

}  // namespace FASTML_LEVEL
}  // namespace fastml
