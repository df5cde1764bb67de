#include "nn/dropout.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#define FASTML_TABLE_TYPE nn::DropoutTables
#define FASTML_TABLE_NAME dropout_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::DropoutTables& nn::dropout_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::dropout_tables_of_level;
  }
}

namespace nn {
namespace {

template <class T>
const DropoutKernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return dropout_tables().f32;
  } else {
    return dropout_tables().f64;
  }
}

}  // namespace

template <class T>
void dropout(std::int64_t n, double p, std::uint64_t seed, const T* x, T* y, int threads) {
  if (p >= 1) {  // the threshold would be 2^32
    std::fill(y, y + n, T(0));
    return;
  }
  const auto threshold = std::uint32_t(std::min(std::round(std::ldexp(p, 32)), 4294967295.0));
  const T scale = T(1 / (1 - p));
  const std::int64_t runs = (n + kDropoutRun - 1) / kDropoutRun;
  threads = int(std::max<std::int64_t>(std::min<std::int64_t>(threads, runs), 1));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t first = runs * t / threads, begin = first * kDropoutRun;
    const std::int64_t end = std::min(runs * (t + 1) / threads * kDropoutRun, n);
    kernels<T>().drop(end - begin, seed, std::uint64_t(first), threshold, scale, x + begin, y + begin);
  }
}

template void dropout(std::int64_t, double, std::uint64_t, const float*, float*, int);
template void dropout(std::int64_t, double, std::uint64_t, const double*, double*, int);

}  // namespace nn
}  // namespace fastml
