#include "tree/features.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

#include "tree/sort.hpp"

namespace fastml::tree {
namespace {

// Unsigned integers in the order of the numbers; -0 is 0, NaN comes last.
std::uint32_t ordered_bits(float value) {
  if (std::isnan(value)) return std::numeric_limits<std::uint32_t>::max();
  value += 0.0f;
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// Copies features [begin, end) into columns, by blocks of samples that stay in L1 whatever the strides.
void copy_columns(const Samples& x, std::int64_t begin, std::int64_t end, float* columns) {
  constexpr std::int64_t kBlock = 64;
  for (std::int64_t row = 0; row < x.rows; row += kBlock) {
    const std::int64_t last = std::min(row + kBlock, x.rows);
    for (std::int64_t f = begin; f < end; ++f) {
      const float* source = x.data + f * x.col_stride;
      float* target = columns + (f - begin) * x.rows;
      for (std::int64_t i = row; i < last; ++i) target[i] = source[i * x.row_stride];
    }
  }
}

}  // namespace

Features::Features(const Samples& x, Encoding encoding, int threads)
    : samples_(x.rows), count_(x.cols), encoding_(encoding) {
  if (samples_ >= std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("trees take fewer than 2^32 - 1 samples, got " + std::to_string(samples_));
  }
  constexpr std::int64_t kGroup = 16;  // features of a cache line of row-major samples
  const std::int64_t groups = (count_ + kGroup - 1) / kGroup;
  if (encoding_ == Encoding::values) {
    columns_.resize(samples_ * count_);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t begin = g * kGroup;
      copy_columns(x, begin, std::min(begin + kGroup, count_), columns_.data() + begin * samples_);
    }
    return;
  }
  storage_.resize(count_);
  ranked_.resize(count_);
  std::atomic<bool> out_of_memory{false};
#pragma omp parallel num_threads(threads)
  {
    std::vector<float> block;
    std::vector<std::uint64_t> keys, scratch;
    // An exception must not leave the parallel region.
    try {
      block.resize(samples_ * std::min(count_, kGroup));
      keys.resize(samples_);
      scratch.resize(samples_);
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
#pragma omp for schedule(dynamic)
    for (std::int64_t g = 0; g < groups; ++g) {
      if (out_of_memory) continue;
      const std::int64_t begin = g * kGroup, end = std::min(begin + kGroup, count_);
      copy_columns(x, begin, end, block.data());
      try {
        for (std::int64_t f = begin; f < end; ++f) {
          rank(block.data() + (f - begin) * samples_, f, keys.data(), scratch.data());
        }
      } catch (const std::bad_alloc&) {
        out_of_memory = true;
      }
    }
  }
  if (out_of_memory) throw std::bad_alloc();
}

void Features::rank(const float* column, std::int64_t feature, std::uint64_t* keys, std::uint64_t* scratch) {
  const std::int64_t n = samples_;
  for (std::int64_t i = 0; i < n; ++i) keys[i] = make_key(ordered_bits(column[i]), std::uint32_t(i));
  const Key* sorted = n > 0 ? radix_sort_all(keys, scratch, n) : keys;

  Storage& storage = storage_[feature];
  RankedFeature& ranked = ranked_[feature];
  std::int64_t missing = 0;
  while (missing < n && std::isnan(column[sample_of(sorted[n - 1 - missing])])) ++missing;
  const std::int64_t present = n - missing;
  std::uint32_t distinct = 0;
  for (std::int64_t i = 0; i < present; ++i) distinct += i == 0 || code_of(sorted[i]) != code_of(sorted[i - 1]);

  storage.values.resize(distinct);
  const bool wide = distinct > 0xffff;  // NaN takes a code too
  if (wide) {
    storage.wide.resize(n);
  } else {
    storage.narrow.resize(n);
  }
  if (encoding_ == Encoding::sorted) storage.order.resize(n);
  bool separated = true;
  std::uint32_t code = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint32_t sample = sample_of(sorted[i]);
    if (i >= present) {
      code = distinct;
    } else if (i == 0) {
      storage.values[0] = column[sample] + 0.0f;
    } else if (code_of(sorted[i]) != code_of(sorted[i - 1])) {
      storage.values[++code] = column[sample] + 0.0f;
      separated &= !same_value(storage.values[code - 1], storage.values[code]);
    }
    if (wide) {
      storage.wide[sample] = code;
    } else {
      storage.narrow[sample] = std::uint16_t(code);
    }
    if (encoding_ == Encoding::sorted) storage.order[i] = sample;
  }
  ranked = {wide ? nullptr : storage.narrow.data(),
            wide ? storage.wide.data() : nullptr,
            storage.values.data(),
            distinct,
            missing > 0,
            separated,
            encoding_ == Encoding::sorted ? storage.order.data() : nullptr};
}

std::int64_t Features::bytes() const {
  std::size_t total = columns_.size() * sizeof(float);
  for (const Storage& s : storage_) {
    total += s.narrow.size() * sizeof(std::uint16_t) + (s.wide.size() + s.order.size()) * sizeof(std::uint32_t) +
             s.values.size() * sizeof(float);
  }
  return std::int64_t(total);
}

}  // namespace fastml::tree
