// Sorting 64-bit keys, (code << 32) | sample, by code. Samples arrive in ascending order and keep it among equal codes.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

namespace fastml::tree {

using Key = std::uint64_t;

inline Key make_key(std::uint32_t code, std::uint32_t sample) { return Key(code) << 32 | sample; }
inline std::uint32_t code_of(Key key) { return std::uint32_t(key >> 32); }
inline std::uint32_t sample_of(Key key) { return std::uint32_t(key); }

// Least-significant-digit radix sort over all 32 bits of the codes: for whole columns. Returns where the result lies.
inline Key* radix_sort_all(Key* keys, Key* scratch, std::int64_t count) {
  constexpr int kBits = 11, kDigits = 1 << kBits, kPasses = 3;
  std::int64_t starts[kPasses][kDigits] = {};
  for (std::int64_t i = 0; i < count; ++i) {
    for (int pass = 0; pass < kPasses; ++pass) ++starts[pass][keys[i] >> (32 + pass * kBits) & (kDigits - 1)];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    const int shift = 32 + pass * kBits;
    if (starts[pass][keys[0] >> shift & (kDigits - 1)] == count) continue;  // all the same digit
    std::int64_t sum = 0;
    for (std::int64_t& start : starts[pass]) sum += std::exchange(start, sum);
    for (std::int64_t i = 0; i < count; ++i) scratch[starts[pass][keys[i] >> shift & (kDigits - 1)]++] = keys[i];
    std::swap(keys, scratch);
  }
  return keys;
}

// Least-significant-digit radix sort of a node's keys over the bits that code - low can have. `scratch` holds as many keys as
// `keys`; the result lies in one of the two, which is returned.
inline Key* radix_sort(Key* keys, Key* scratch, std::int64_t count, std::uint32_t low, std::uint32_t high) {
  constexpr int kBits = 8, kDigits = 1 << kBits, kMostPasses = 4;
  int passes = 0;
  while (passes < kMostPasses && (std::uint64_t(high - low) >> (passes * kBits)) != 0) ++passes;
  std::uint32_t starts[kMostPasses][kDigits];
  std::memset(starts, 0, passes * sizeof(starts[0]));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t code = code_of(keys[i]) - low;
    for (int pass = 0; pass < passes; ++pass) ++starts[pass][code >> (pass * kBits) & (kDigits - 1)];
  }
  for (int pass = 0; pass < passes; ++pass) {
    std::uint32_t* const start = starts[pass];
    std::uint32_t sum = 0;
    for (int digit = 0; digit < kDigits; ++digit) sum += std::exchange(start[digit], sum);
    for (std::int64_t i = 0; i < count; ++i) {
      scratch[start[(code_of(keys[i]) - low) >> (pass * kBits) & (kDigits - 1)]++] = keys[i];
    }
    std::swap(keys, scratch);
  }
  return keys;
}

}  // namespace fastml::tree
