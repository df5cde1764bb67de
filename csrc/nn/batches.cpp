#include "nn/batches.hpp"

#include <algorithm>
#include <cstring>

namespace fastml::nn {
namespace {

template <int Bytes>
void gather_fixed(const char* x, std::int64_t stride, const std::int64_t* rows, std::int64_t count, char* batch) {
  for (std::int64_t i = 0; i < count; ++i) std::memcpy(batch + i * Bytes, x + rows[i] * stride, Bytes);
}

}  // namespace

template <class From, class To>
void gather_rows(Rows<const From> x, const std::int64_t* rows, std::int64_t count, const To* shift, const To* factor,
                 To* batch, int threads) {
  const auto gather = batch_kernels<From, To>().gather;
  threads = int(std::max<std::int64_t>(std::min<std::int64_t>(threads, count), 1));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t begin = count * t / threads, end = count * (t + 1) / threads;
    gather(x, rows + begin, end - begin, shift, factor, batch + begin * x.cols);
  }
}

void gather_bytes(const char* x, std::int64_t bytes, std::int64_t stride, const std::int64_t* rows, std::int64_t count,
                  char* batch) {
  if (bytes == 0) return;
  // Labels and targets are mostly one number: a copy whose length is known is a load and a store.
  if (bytes == 4) return gather_fixed<4>(x, stride, rows, count, batch);
  if (bytes == 8) return gather_fixed<8>(x, stride, rows, count, batch);
  for (std::int64_t i = 0; i < count; ++i) std::memcpy(batch + i * bytes, x + rows[i] * stride, std::size_t(bytes));
}

#define FASTML_INSTANTIATE(From, To)                                                                                  \
  template void gather_rows<From, To>(Rows<const From>, const std::int64_t*, std::int64_t, const To*, const To*, To*, \
                                      int);
FASTML_INSTANTIATE(float, float)
FASTML_INSTANTIATE(float, double)
FASTML_INSTANTIATE(double, float)
FASTML_INSTANTIATE(double, double)
FASTML_INSTANTIATE(std::uint8_t, float)
FASTML_INSTANTIATE(std::uint8_t, double)
#undef FASTML_INSTANTIATE

}  // namespace fastml::nn
