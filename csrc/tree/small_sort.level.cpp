#include "tree/small_sort.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

void sort(const std::uint32_t* codes, std::int64_t count, std::uint32_t low, std::uint64_t* sorted) {
  constexpr int lanes = kLanes<float>;
  constexpr int kPlaceBits = 6;
  static_assert(std::int64_t(1) << kPlaceBits == tree::kSmallSort);
  using Lanes = typename VectorOf<std::int32_t, lanes>::type;
  // Signed, distinct, and in the order of code and place. Those beyond the last are written where nobody looks.
  alignas(64) std::int32_t keys[tree::kSmallSort];
  alignas(64) std::int32_t places[tree::kSmallSort];
  for (std::int64_t i = 0; i < count; ++i) {
    keys[i] = std::int32_t((codes[i] - low) << kPlaceBits ^ 0x80000000u) | std::int32_t(i);
  }
  for (std::int64_t i = count; i % lanes != 0; ++i) keys[i] = 0x7fffffff;
  for (std::int64_t i = 0; i < count; i += lanes) {
    const Lanes own = load_run<lanes>(keys + i);
    Lanes below = {};
    for (std::int64_t j = 0; j < count; ++j) below -= Lanes(keys[j] < own);
    store_run<lanes>(places + i, below);
  }
  for (std::int64_t i = 0; i < count; ++i) sorted[places[i]] = std::uint64_t(codes[i]) << 32 | std::uint64_t(i);
}

}  // namespace

extern const tree::SmallSortKernels small_sort_table;
const tree::SmallSortKernels small_sort_table{sort};

}  // namespace FASTML_LEVEL
}  // namespace fastml
