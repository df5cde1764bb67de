// Dropout and embedding at every level, against plain loops, for equality. Arrays lie against an unmapped page.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

using Words = std::array<std::uint32_t, 4>;

Words philox(Words counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t(0xD2511F53) * counter[0], second = std::uint64_t(0xCD9E8D57) * counter[2];
    counter = {std::uint32_t(second >> 32) ^ counter[1] ^ key0, std::uint32_t(second),
               std::uint32_t(first >> 32) ^ counter[3] ^ key1, std::uint32_t(first)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

std::uint32_t word_of(std::uint64_t element, std::uint64_t seed) {
  const std::uint64_t counter = element / 64 * 16 + element % 16;
  return philox({std::uint32_t(counter), std::uint32_t(counter >> 32), 0, 0}, std::uint32_t(seed),
                std::uint32_t(seed >> 32))[element % 64 / 16];
}

// The answers that the generator's authors publish with it (Random123, kat_vectors).
void known_answers() {
  CHECK((philox({0, 0, 0, 0}, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}), "zeros");
  CHECK((philox({~0U, ~0U, ~0U, ~0U}, ~0U, ~0U) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}), "ones");
  CHECK((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
         Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}),
        "digits of pi");
}

template <class T>
void dropouts(const char* level) {
  constexpr std::int64_t most = 5000;
  Guarded<T> at_x(most), at_y(most);
  for (const std::int64_t n : {0, 1, 3, 63, 64, 65, 200, 4999}) {
    const T* x = at_x.at_end(normals<T>(n, 1));
    T* y = at_y.at_end(n);
    for (const double p : {0.0, 0.1, 0.5, 0.999999, 1.0}) {
      for (const std::uint64_t seed : {std::uint64_t(0), std::uint64_t(0x123456789abcdef0)}) {
        const double threshold = std::ldexp(p, 32);
        const T scale = p < 1 ? T(1 / (1 - p)) : T(0);
        for (const int threads : {1, 3}) {
          dropout(n, p, seed, x, y, threads);
          std::int64_t wrong = 0;
          for (std::int64_t i = 0; i < n; ++i) {
            const bool kept = p < 1 && double(word_of(std::uint64_t(i), seed)) >= std::round(threshold);
            wrong += y[i] != (kept ? x[i] * scale : T(0));
          }
          CHECK_EQUAL(wrong, 0, level << " dropout of " << n << ", p " << p << ", threads " << threads);
        }
      }
    }
  }
  // Far from the first element, where a counter needs more than 32 bits.
  const std::uint64_t run = (std::uint64_t(1) << 32) + 7;
  const std::vector<T> x = normals<T>(70, 2);
  std::vector<T> y(70);
  const auto drop = [] {
    if constexpr (sizeof(T) == 4) {
      return dropout_tables().f32.drop;
    } else {
      return dropout_tables().f64.drop;
    }
  }();
  drop(70, 5, run, 1U << 31, T(2), x.data(), y.data());
  for (std::uint64_t i = 0; i < 70; ++i) {
    CHECK_EQUAL(y[i], word_of(run * 64 + i, 5) >= 1U << 31 ? T(2) * x[i] : T(0), level << " far element " << i);
  }
}

template <class T>
void embeddings(const char* level) {
  constexpr std::int64_t rows = 11, most = 1 << 14;
  Guarded<T> at_table(most), at_gradient(most), at_y(most), at_dy(most);
  for (const std::int64_t cols : {0, 1, 3, 16, 33, 130}) {
    for (const std::int64_t count : {0, 1, 40}) {
      // Sums of small integers are exact, in any order.
      const T* table = at_table.at_end(integers<T>(rows * cols, -9, 9, 1));
      const T* dy = at_dy.at_end(integers<T>(count * cols, -9, 9, 2));
      const std::vector<std::int64_t> index = integers<std::int64_t>(count, 0, int(rows) - 1, 3);
      T *gradient = at_gradient.at_end(rows * cols), *y = at_y.at_end(count * cols);
      for (const int threads : {1, 3}) {
        embedding(count, cols, table, index.data(), y, threads);
        for (const std::int64_t skipped : {std::int64_t(-1), std::int64_t(4)}) {
          for (const bool clear : {true, false}) {
            std::fill(gradient, gradient + rows * cols, T(100));
            embedding_backward(count, rows, cols, dy, index.data(), skipped, clear, gradient, threads);
            std::int64_t wrong = 0;
            for (std::int64_t j = 0; j < cols; ++j) {
              std::vector<T> expected(rows, clear ? T(0) : T(100));
              for (std::int64_t i = 0; i < count; ++i) {
                wrong += y[i * cols + j] != table[index[i] * cols + j];
                if (index[i] != skipped) expected[index[i]] += dy[i * cols + j];
              }
              for (std::int64_t r = 0; r < rows; ++r) wrong += gradient[r * cols + j] != expected[r];
            }
            CHECK_EQUAL(wrong, 0, level << " embedding, cols " << cols << ", count " << count);
          }
        }
      }
    }
  }
}

}  // namespace

int main() {
  known_answers();
  at_each_level_in_a_child([](SimdLevel level) {
    dropouts<float>(name(level));
    dropouts<double>(name(level));
    embeddings<float>(name(level));
    embeddings<double>(name(level));
  });
  return check::result();
}
