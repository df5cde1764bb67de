#include "nn/few_rows.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

// Rows of the matrix that are read side by side, and vectors of each that are summed apart.
constexpr int kSide = 4;
constexpr int kChains = 2;

template <int Count, class T>
FASTML_INLINE void dots(std::int64_t n, const T* x, const T* weight, T* y) {
  vec<T> sums[Count][kChains] = {};
  constexpr std::int64_t step = kChains * kLanes<T>;
  std::int64_t k = 0;
  for (; k + step <= n; k += step) {
#pragma GCC unroll 2
    for (int v = 0; v < kChains; ++v) {
      const vec<T> values = load(x + k + v * kLanes<T>);
#pragma GCC unroll 4
      for (int o = 0; o < Count; ++o) sums[o][v] += values * load(weight + o * n + k + v * kLanes<T>);
    }
  }
  for (int o = 0; o < Count; ++o) {
    T sum = reduce_add<T>(sums[o][0] + sums[o][1]);
    for (std::int64_t j = k; j < n; ++j) sum += x[j] * weight[o * n + j];
    y[o] = sum;
  }
}

template <class T>
void multiply(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, std::int64_t first, std::int64_t last,
              const T* x, const T* weight, T* y) {
  std::int64_t o = first;
  for (; o + kSide <= last; o += kSide) {
    for (std::int64_t r = 0; r < rows; ++r) {
      dots<kSide>(inputs, x + r * inputs, weight + o * inputs, y + r * outputs + o);
    }
  }
  for (; o < last; ++o) {
    for (std::int64_t r = 0; r < rows; ++r) dots<1>(inputs, x + r * inputs, weight + o * inputs, y + r * outputs + o);
  }
}

template <class T>
constexpr nn::FewRowsKernels<T> kTable{multiply<T>};

}  // namespace

extern const nn::FewRowsTables few_rows_tables_of_level;
const nn::FewRowsTables few_rows_tables_of_level{kTable<float>, kTable<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
