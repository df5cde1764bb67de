#include "nn/batches.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

// Rows to ask for ahead of their turn: drawn rows lie anywhere, and the hardware fetches consecutive lines only once it has
// seen some.
constexpr std::int64_t kRowsAhead = 2;
constexpr std::int64_t kLineBytes = 64;
constexpr std::int64_t kBytesAhead = 512;

template <class From>
FASTML_INLINE void fetch(const From* row, std::int64_t cols) {
  const char* bytes = reinterpret_cast<const char*>(row);
  const std::int64_t most = cols * std::int64_t(sizeof(From));
  for (std::int64_t b = 0; b < most && b < kBytesAhead; b += kLineBytes) __builtin_prefetch(bytes + b);
}

template <class From, class To>
void gather(Rows<const From> x, const std::int64_t* rows, std::int64_t count, const To* shift, const To* factor,
            To* batch) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (i + kRowsAhead < count) fetch(x.data + rows[i + kRowsAhead] * x.stride, x.cols);
    const From* __restrict from = x.data + rows[i] * x.stride;
    To* __restrict to = batch + i * x.cols;
    if (factor != nullptr) {
      for (std::int64_t j = 0; j < x.cols; ++j) to[j] = (To(from[j]) - shift[j]) * factor[j];
    } else {
      for (std::int64_t j = 0; j < x.cols; ++j) to[j] = To(from[j]);
    }
  }
}

template <class From, class To>
constexpr nn::BatchKernels<From, To> kTable{gather<From, To>};

}  // namespace

#define FASTML_DEFINE_TABLE(From, To, name)     \
  extern const nn::BatchKernels<From, To> name; \
  const nn::BatchKernels<From, To> name = kTable<From, To>;
FASTML_DEFINE_TABLE(float, float, batch_table_f32_f32)
FASTML_DEFINE_TABLE(float, double, batch_table_f32_f64)
FASTML_DEFINE_TABLE(double, float, batch_table_f64_f32)
FASTML_DEFINE_TABLE(double, double, batch_table_f64_f64)
FASTML_DEFINE_TABLE(std::uint8_t, float, batch_table_u8_f32)
FASTML_DEFINE_TABLE(std::uint8_t, double, batch_table_u8_f64)
#undef FASTML_DEFINE_TABLE

}  // namespace FASTML_LEVEL
}  // namespace fastml
