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
#include "tree/tuning.hpp"

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

constexpr std::int64_t kGroup = 8;  // features copied together, half a cache line of samples

// Copies features [begin, end), by blocks of samples that stay in L1 whatever the strides.
void copy_columns(const SampleMatrix& x, std::int64_t begin, std::int64_t end, float* to, std::int64_t sample_step,
                  std::int64_t feature_step) {
  constexpr std::int64_t kBlock = 64;
  for (std::int64_t row = 0; row < x.rows; row += kBlock) {
    const std::int64_t last = std::min(row + kBlock, x.rows);
    for (std::int64_t f = begin; f < end; ++f) {
      const float* source = x.data + f * x.col_stride;
      float* target = to + (f - begin) * feature_step;
      for (std::int64_t i = row; i < last; ++i) target[i * sample_step] = source[i * x.row_stride];
    }
  }
}

}  // namespace

Features::Features(const SampleMatrix& x, Encoding encoding, int threads)
    : samples_(x.rows), count_(x.cols), encoding_(encoding) {
  if (samples_ >= std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("trees take fewer than 2^32 - 1 samples, got " + std::to_string(samples_));
  }
  encoding_ == Encoding::values ? keep_values(x) : keep_ranks(x, threads);
}

Features::Features(const SparseMatrix& x, bool in_order)
    : samples_(x.rows),
      count_(x.cols),
      encoding_(Encoding::sparse),
      sparse_(std::make_unique<SparseFeatures>(x, in_order)) {}

// Where a sample takes few cache lines, samples lie one after the other: what a small node looks at is then in L1, whatever
// features it draws. Else features do, and large nodes find several of their samples in a line.
void Features::lay_out(std::int64_t item_bytes) {
  const bool by_sample = count_ * item_bytes <= kSampleBytes;
  sample_step_ = by_sample ? count_ : 1;
  feature_step_ = by_sample ? 1 : samples_;
}

void Features::keep_values(const SampleMatrix& x) {
  values_ = x.data;
  sample_step_ = x.row_stride;
  feature_step_ = x.col_stride;
  has_missing_.resize(count_);
  const auto look = [&](std::int64_t i, std::int64_t f) {
    has_missing_[f] |= std::isnan(values_[i * sample_step_ + f * feature_step_]);
  };
  if (sample_step_ < feature_step_) {
    for (std::int64_t f = 0; f < count_; ++f) {
      for (std::int64_t i = 0; i < samples_; ++i) look(i, f);
    }
  } else {
    for (std::int64_t i = 0; i < samples_; ++i) {
      for (std::int64_t f = 0; f < count_; ++f) look(i, f);
    }
  }
}

// What ranking a feature takes, for each thread.
struct Features::Scratch {
  std::vector<float> block;   // the columns of a group
  std::vector<float> values;  // distinct ones
  std::vector<std::uint64_t> keys, other_keys;
  std::vector<std::uint32_t> codes;

  void resize(std::int64_t samples, std::int64_t columns) {
    block.resize(samples * columns);
    values.resize(samples);
    keys.resize(samples);
    other_keys.resize(samples);
    codes.resize(samples);
  }
};

void Features::keep_ranks(const SampleMatrix& x, int threads) {
  const std::int64_t groups = (count_ + kGroup - 1) / kGroup;
  storage_.resize(count_);
  ranked_.resize(count_);
  has_missing_.resize(count_);
  for (std::int64_t f = 0; f < count_; ++f) {
    ranked_[f].column = x.data + f * x.col_stride;
    ranked_[f].stride = x.row_stride;
  }
  lay_out(sizeof(std::uint16_t));
  narrow_.resize(samples_ * count_);
  std::vector<std::uint8_t> is_wide(count_);
  std::atomic<bool> out_of_memory{false};
  // Twice in the rare case of a feature with more values than narrow codes: only then is it known.
  for (bool again = true; again;) {
#pragma omp parallel num_threads(threads)
    {
      Scratch scratch;
      // An exception must not leave the parallel region.
      try {
        scratch.resize(samples_, std::min(count_, kGroup));
      } catch (const std::bad_alloc&) {
        out_of_memory = true;
      }
#pragma omp for schedule(dynamic)
      for (std::int64_t g = 0; g < groups; ++g) {
        if (out_of_memory) continue;
        const std::int64_t begin = g * kGroup, end = std::min(begin + kGroup, count_);
        copy_columns(x, begin, end, scratch.block.data(), 1, samples_);
        for (std::int64_t f = begin; f < end; ++f) {
          try {
            rank(scratch.block.data() + (f - begin) * samples_, f, scratch);
          } catch (const std::bad_alloc&) {
            out_of_memory = true;
            break;
          }
          is_wide[f] = ranked_[f].distinct > 0xffff;  // NaN takes a code too
          const std::int64_t at = f * feature_step_;
          for (std::int64_t i = 0; i < samples_; ++i) {
            if (wide_.empty()) {
              narrow_[at + i * sample_step_] = std::uint16_t(scratch.codes[i]);
            } else {
              wide_[at + i * sample_step_] = scratch.codes[i];
            }
          }
        }
      }
    }
    if (out_of_memory) throw std::bad_alloc();
    again = wide_.empty() && std::any_of(is_wide.begin(), is_wide.end(), [](std::uint8_t wide) { return wide; });
    if (again) {
      std::vector<std::uint16_t>().swap(narrow_);
      lay_out(sizeof(std::uint32_t));
      wide_.resize(samples_ * count_);
    }
  }
}

void Features::rank(const float* column, std::int64_t feature, Scratch& scratch) {
  const std::int64_t n = samples_;
  std::uint64_t* const keys = scratch.keys.data();
  for (std::int64_t i = 0; i < n; ++i) keys[i] = make_key(ordered_bits(column[i]), std::uint32_t(i));
  const Key* sorted = n > 0 ? radix_sort_all(keys, scratch.other_keys.data(), n) : keys;

  std::int64_t missing = 0;
  while (missing < n && std::isnan(column[sample_of(sorted[n - 1 - missing])])) ++missing;
  const std::int64_t present = n - missing;
  std::uint32_t distinct = 0;
  for (std::int64_t i = 0; i < present; ++i) {
    const std::uint32_t sample = sample_of(sorted[i]);
    if (i == 0 || code_of(sorted[i]) != code_of(sorted[i - 1])) scratch.values[distinct++] = column[sample] + 0.0f;
    scratch.codes[sample] = distinct - 1;
  }
  for (std::int64_t i = present; i < n; ++i) scratch.codes[sample_of(sorted[i])] = distinct;

  Storage& storage = storage_[feature];
  RankedFeature& ranked = ranked_[feature];
  ranked.distinct = distinct;
  ranked.has_missing = missing > 0;
  has_missing_[feature] = ranked.has_missing;
  ranked.close = CloseValues(scratch.values.data(), distinct);
  ranked.separated = ranked.close.empty();
  if (distinct <= kMostTabled) {
    storage.values.assign(scratch.values.data(), scratch.values.data() + distinct);
    ranked.values = storage.values.data();
  }
  if (encoding_ == Encoding::sorted) {
    storage.order.resize(n);
    for (std::int64_t i = 0; i < n; ++i) storage.order[i] = sample_of(sorted[i]);
    ranked.order = storage.order.data();
  }
}

std::int64_t Features::bytes() const {
  if (sparse_ != nullptr) return sparse_->bytes();
  std::size_t total = narrow_.size() * sizeof(std::uint16_t) + wide_.size() * sizeof(std::uint32_t);
  for (const Storage& s : storage_) total += s.order.size() * sizeof(std::uint32_t) + s.values.size() * sizeof(float);
  for (const RankedFeature& feature : ranked_) total += feature.close.bytes();
  return std::int64_t(total);
}

}  // namespace fastml::tree
