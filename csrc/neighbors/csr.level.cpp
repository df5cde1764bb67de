// Sums of sparse rows with groups of queries at one SIMD level.
#include "neighbors/csr_kernels.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using neighbors::CsrBlock;
using neighbors::kCsrGroup;

constexpr int kVectors = kCsrGroup / kLanes<double>;

// Without the sign bit: one instruction, where -x and a maximum are two.
FASTML_INLINE vec<double> absolute(vec<double> x) {
  return reinterpret_cast<vec<double>>(reinterpret_cast<ivec<double>>(x) & INT64_MAX);
}

template <bool Products, class T>
FASTML_INLINE void compare(const CsrBlock<T>& b, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    vec<double> sums[kVectors] = {};
    for (std::int64_t p = b.rows.offsets[row]; p < b.rows.offsets[row + 1]; ++p) {
      const vec<double> x = broadcast<double>(double(b.rows.values[p]));
      // No branch on features that no query has: half of them would be guessed wrongly.
      const double* line = b.panel + std::int64_t(b.slots[b.rows.indices[p]]) * kCsrGroup;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        const vec<double> y = load(line + v * kLanes<double>);
        if constexpr (Products) {
          sums[v] += x * y;
        } else {
          sums[v] += absolute(x - y) - absolute(y);
        }
      }
    }
    const double head = b.head * b.sizes[row], scale = b.scales != nullptr ? b.scale * b.scales[row] : b.scale;
    ivec<double> near{};
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      sums[v] = head + scale * sums[v];
      near |= ~(sums[v] >= load(b.limits + v * kLanes<double>));  // NaN is near
    }
    if (__builtin_expect(!any<double>(near), 1)) continue;
    alignas(64) double lanes[kCsrGroup];
    for (int v = 0; v < kVectors; ++v) store(lanes + v * kLanes<double>, sums[v]);
    for (int q = 0; q < b.queries; ++q) {
      if (!(lanes[q] >= b.limits[q])) b.offer(b.context, q, row, lanes[q]);
    }
  }
}

template <class T>
void products(const CsrBlock<T>& b, std::int64_t begin, std::int64_t end) {
  compare<true>(b, begin, end);
}

template <class T>
void differences(const CsrBlock<T>& b, std::int64_t begin, std::int64_t end) {
  compare<false>(b, begin, end);
}

}  // namespace

extern const neighbors::CsrKernels<float> csr_table_f32;
extern const neighbors::CsrKernels<double> csr_table_f64;
const neighbors::CsrKernels<float> csr_table_f32 = {products<float>, differences<float>};
const neighbors::CsrKernels<double> csr_table_f64 = {products<double>, differences<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
