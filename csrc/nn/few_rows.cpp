#include "nn/few_rows.hpp"

#include <algorithm>
#include <type_traits>

#define FASTML_TABLE_TYPE nn::FewRowsTables
#define FASTML_TABLE_NAME few_rows_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::FewRowsTables& nn::few_rows_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::few_rows_tables_of_level;
  }
}

namespace nn {
namespace {

template <class T>
const FewRowsKernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return few_rows_tables().f32;
  } else {
    return few_rows_tables().f64;
  }
}

// Outputs are shared out by so many: a cache line of results, and whole groups of the kernel's.
constexpr std::int64_t kUnit = 16;

}  // namespace

template <class T>
void multiply_few_rows(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, const T* x, const T* weight, T* y,
                       int threads) {
  const std::int64_t units = (outputs + kUnit - 1) / kUnit;
  threads = int(std::clamp<std::int64_t>(units, 1, threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t first = units * t / threads * kUnit, last = std::min(units * (t + 1) / threads * kUnit, outputs);
    kernels<T>().multiply(rows, inputs, outputs, first, last, x, weight, y);
  }
}

template void multiply_few_rows(std::int64_t, std::int64_t, std::int64_t, const float*, const float*, float*, int);
template void multiply_few_rows(std::int64_t, std::int64_t, std::int64_t, const double*, const double*, double*, int);

}  // namespace nn
}  // namespace fastml
