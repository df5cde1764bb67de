#include "nn/add.hpp"

namespace fastml::nn {

// Memory is what it waits for, at any SIMD level.
template <class T>
void add(std::int64_t n, const T* x, const T* y, T* to, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
  for (std::int64_t i = 0; i < n; ++i) to[i] = x[i] + y[i];
}

template void add(std::int64_t, const float*, const float*, float*, int);
template void add(std::int64_t, const double*, const double*, double*, int);

}  // namespace fastml::nn
