#include "nn/dropout.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

constexpr int kCounters = 16;
constexpr int kWords = 4;

// One counter after the other, with no dependence between them: the compiler makes vectors of them.
FASTML_INLINE void random_words(std::uint64_t seed, std::uint64_t run, std::uint32_t* __restrict words) {
  const std::uint32_t low = std::uint32_t(run * kCounters), high = std::uint32_t(run * kCounters >> 32);
  for (std::uint32_t b = 0; b < kCounters; ++b) {
    std::uint32_t c0 = low + b, c1 = high, c2 = 0, c3 = 0;
    std::uint32_t k0 = std::uint32_t(seed), k1 = std::uint32_t(seed >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t first = std::uint64_t(0xD2511F53U) * c0, second = std::uint64_t(0xCD9E8D57U) * c2;
      c0 = std::uint32_t(second >> 32) ^ c1 ^ k0;
      c1 = std::uint32_t(second);
      c2 = std::uint32_t(first >> 32) ^ c3 ^ k1;
      c3 = std::uint32_t(first);
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    words[b] = c0;
    words[kCounters + b] = c1;
    words[2 * kCounters + b] = c2;
    words[3 * kCounters + b] = c3;
  }
}

template <class T>
FASTML_INLINE void drop_run(std::int64_t n, const std::uint32_t* words, std::uint32_t threshold, T scale, const T* x,
                            T* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = words[i] >= threshold ? x[i] * scale : T(0);
}

template <class T>
void drop(std::int64_t n, std::uint64_t seed, std::uint64_t first_run, std::uint32_t threshold, T scale, const T* x,
          T* y) {
  alignas(64) std::uint32_t words[kCounters * kWords];
  static_assert(kCounters * kWords == nn::kDropoutRun);
  for (std::int64_t i = 0; i < n; i += nn::kDropoutRun, ++first_run) {
    random_words(seed, first_run, words);
    if (n - i >= nn::kDropoutRun) {
      drop_run(nn::kDropoutRun, words, threshold, scale, x + i, y + i);
    } else {
      drop_run(n - i, words, threshold, scale, x + i, y + i);
    }
  }
}

}  // namespace

extern const nn::DropoutTables dropout_tables_of_level;
const nn::DropoutTables dropout_tables_of_level{{drop<float>}, {drop<double>}};

}  // namespace FASTML_LEVEL
}  // namespace fastml
