// Dropout: values set to 0 at random, the others scaled.
//
// The choice for an element is a function of the seed and the element's number, and nothing is remembered: the backward
// pass draws it again, and it is the same at any number of threads and any SIMD level. The function is Philox-4x32-10
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four words of 32 bits for a counter, under the
// seed as a key. Element 64 r + 16 w + b has word w of counter 16 r + b.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// Elements of a run: those of 16 counters.
inline constexpr std::int64_t kDropoutRun = 64;

template <class T>
struct DropoutKernels {
  // y = x * scale where the element's word is at least `threshold`, and 0 elsewhere. x begins with the first element of
  // run `first_run`; y may be x.
  void (*drop)(std::int64_t n, std::uint64_t seed, std::uint64_t first_run, std::uint32_t threshold, T scale,
               const T* x, T* y);
};

struct DropoutTables {
  DropoutKernels<float> f32;
  DropoutKernels<double> f64;
};
const DropoutTables& dropout_tables(SimdLevel level = active_level());

// y = 0 with probability p (to 2^-33), x / (1 - p) otherwise. 0 <= p <= 1.
template <class T>
void dropout(std::int64_t n, double p, std::uint64_t seed, const T* x, T* y, int threads);

}  // namespace fastml::nn
