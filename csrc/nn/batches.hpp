// Batches: rows of a matrix gathered into consecutive ones, converted and scaled on the way.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::nn {

template <class From, class To>
struct BatchKernels {
  // batch[i][j] = To(x[rows[i]][j]); with a factor (never without a shift), (x - shift[j]) * factor[j], in To. `rows` are
  // within x, `batch` is contiguous and does not overlap x.
  void (*gather)(Rows<const From> x, const std::int64_t* rows, std::int64_t count, const To* shift, const To* factor,
                 To* batch);
};

// Defined for From float, double and std::uint8_t (images), To float and double.
template <class From, class To>
const BatchKernels<From, To>& batch_kernels(SimdLevel level = active_level());

// The same on several threads.
template <class From, class To>
void gather_rows(Rows<const From> x, const std::int64_t* rows, std::int64_t count, const To* shift, const To* factor,
                 To* batch, int threads);

// Rows of `bytes` bytes, `stride` bytes from one to the next, as they are.
void gather_bytes(const char* x, std::int64_t bytes, std::int64_t stride, const std::int64_t* rows, std::int64_t count,
                  char* batch);

}  // namespace fastml::nn
