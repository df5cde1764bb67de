// Sorting 64-bit keys, (code << 32) | sample, by code. Samples arrive in ascending order and keep it among equal codes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tree/tuning.hpp"

namespace fastml::tree {

using Key = std::uint64_t;

inline Key make_key(std::uint32_t code, std::uint32_t sample) { return Key(code) << 32 | sample; }
inline std::uint32_t code_of(Key key) { return std::uint32_t(key >> 32); }
inline std::uint32_t sample_of(Key key) { return std::uint32_t(key); }

inline void insertion_sort(Key* keys, std::int64_t count) {
  for (std::int64_t i = 1; i < count; ++i) {
    const Key key = keys[i];
    std::int64_t j = i;
    for (; j > 0 && keys[j - 1] > key; --j) keys[j] = keys[j - 1];
    keys[j] = key;
  }
}

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

// One pass into buckets by the high bits of code - low, about a key each, then what is left to do within buckets. Ranks
// are spread evenly by nature, so buckets are small; a large one is sorted on its own. `scratch` holds as many keys as
// `keys`; the result lies in one of the two, which is returned.
inline Key* bucket_sort(Key* keys, Key* scratch, std::int64_t count, std::uint32_t low, std::uint32_t high) {
  if (count <= kInsertionSort) {
    insertion_sort(keys, count);
    return keys;
  }
  int bits = kLeastBucketBits;
  while (bits < kMostBucketBits && (std::int64_t(1) << bits) < count) ++bits;
  int shift = 0;
  while ((high - low) >> shift >> bits != 0) ++shift;
  const std::uint32_t buckets = ((high - low) >> shift) + 1;
  std::uint32_t starts[(1 << kMostBucketBits) + 1];
  std::memset(starts, 0, (buckets + 1) * sizeof(*starts));
  for (std::int64_t i = 0; i < count; ++i) ++starts[((code_of(keys[i]) - low) >> shift) + 1];
  for (std::uint32_t b = 1; b <= buckets; ++b) starts[b] += starts[b - 1];
  for (std::int64_t i = 0; i < count; ++i) scratch[starts[(code_of(keys[i]) - low) >> shift]++] = keys[i];
  if (shift == 0) return scratch;
  // Now starts[b] is where bucket b ends.
  std::uint32_t begin = 0;
  for (std::uint32_t b = 0; b < buckets; ++b) {
    const std::uint32_t size = starts[b] - begin;
    if (size > kInsertionSort) {
      std::sort(scratch + begin, scratch + starts[b]);
    } else if (size > 1) {
      insertion_sort(scratch + begin, size);
    }
    begin = starts[b];
  }
  return scratch;
}

}  // namespace fastml::tree
