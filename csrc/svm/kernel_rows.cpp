#include "svm/kernel_rows.hpp"

#include <algorithm>
#include <type_traits>

#include "svm/tuning.hpp"

namespace fastml::svm {
namespace {

// The kernels are tables of functions for float and for double.
template <class Out>
auto dense_kernel() {
  if constexpr (std::is_same_v<Out, float>) {
    return row_kernels().dense_f32;
  } else {
    return row_kernels().dense_f64;
  }
}
template <class Out>
auto values_kernel() {
  if constexpr (std::is_same_v<Out, float>) {
    return row_kernels().values_f32;
  } else {
    return row_kernels().values_f64;
  }
}

}  // namespace

KernelRows::KernelRows(const Samples& samples, const SampleNorms& norms, std::vector<Part> parts, int threads)
    : samples_(samples),
      norms_(norms),
      parts_(std::move(parts)),
      batch_(1),
      threads_(threads),
      gathered_(0),
      scratch_(0) {
  std::int64_t longest = 0;
  for (const Part& part : parts_) {
    columns_ += part.block->count();
    longest = std::max(longest, part.block->count());
  }
  if (samples.is_given()) return;
  if (samples.is_sparse) {
    scratch_ = Buffer<double>(longest);
    return;
  }
  batch_ = int(std::clamp<std::int64_t>(columns_, 1, row_kernels().most_samples));
  gathered_ = Buffer<double>(batch_ * samples.features());
  scratch_ = Buffer<double>(threads * block_size());
}

std::pair<std::int64_t, std::int64_t> KernelRows::part_of(std::int64_t column) const {
  std::int64_t first = 0;
  for (const Part& part : parts_) {
    if (column < first + part.block->count()) return {first, first + part.block->count()};
    first += part.block->count();
  }
  return {columns_, columns_};
}

double KernelRows::worthwhile_guesses() const {
  // Cycles of a value: of a row alone, the sample's features come from memory.
  const double features = double(samples_.features()), read = kCyclesToRead * features;
  const double computed = kCyclesOfProduct * features + kCyclesOfValue;
  return computed / (read + computed);
}

void KernelRows::diagonal(double* values) const {
  const Kernel& kernel = samples_.kernel;
  for (const Part& part : parts_) {
    const SampleBlock& block = *part.block;
    if (samples_.is_given()) {
      for (const std::int32_t row : block.rows()) *values++ = samples_.dense.data[row * (samples_.dense.stride + 1)];
    } else if (kernel.kind == KernelKind::rbf) {
      values = std::fill_n(values, block.count(), 1.0);
    } else {
      row_kernels().values_f64(kernel, block.norms(), 0.0, block.norms(), block.count(), values);
      values += block.count();
    }
  }
}

void KernelRows::compute(const std::int32_t* rows, int count, float* const* out) {
  std::int64_t first = 0;
  for (const Part& part : parts_) {
    missing_.clear();
    missing_values_.clear();
    missing_members_.clear();
    for (int i = 0; i < count; ++i) {
      const auto [begin, end] = part_of(rows[i]);
      const std::int64_t member = begin == first ? rows[i] - first : -1;
      const float* known = member >= 0 && part.own != nullptr ? part.own->find(member) : nullptr;
      if (known != nullptr) {
        std::copy_n(known, part.block->count(), out[i] + first);
        continue;
      }
      missing_.push_back(sample(rows[i]));
      missing_values_.push_back(out[i] + first);
      missing_members_.push_back(member);
    }
    compute_part(*part.block, missing_, missing_values_);
    for (std::size_t i = 0; i < missing_.size() && part.own != nullptr; ++i) {
      if (missing_members_[i] >= 0) part.own->keep(missing_members_[i], missing_values_[i]);
    }
    first += part.block->count();
  }
}

void KernelRows::compute_for(const std::int32_t* samples, int count, double* const* out) {
  std::int64_t first = 0;
  for (const Part& part : parts_) {
    std::vector<double*> to;
    for (int i = 0; i < count; ++i) to.push_back(out[i] + first);
    compute_part(*part.block, std::vector<std::int32_t>(samples, samples + count), to);
    first += part.block->count();
  }
}

std::int32_t KernelRows::sample(std::int64_t column) const {
  for (const Part& part : parts_) {
    if (column < part.block->count()) return part.block->rows()[column];
    column -= part.block->count();
  }
  return -1;
}

template <class Out>
void KernelRows::compute_part(const SampleBlock& block, const std::vector<std::int32_t>& samples,
                              const std::vector<Out*>& out) {
  if (!samples_.is_given() && !samples_.is_sparse) {
    if (!samples.empty()) compute_dense(block, samples, out);
    return;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples_.is_sparse) {
      compute_sparse(block, samples[i], out[i]);
    } else {
      const double* values = samples_.dense.data + samples[i] * samples_.dense.stride;
      std::transform(block.rows().begin(), block.rows().end(), out[i],
                     [values](std::int32_t column) { return Out(values[column]); });
    }
  }
}

template <class Out>
void KernelRows::compute_dense(const SampleBlock& block, const std::vector<std::int32_t>& samples,
                               const std::vector<Out*>& out) {
  const std::int64_t features = samples_.features(), count = std::int64_t(samples.size());
  gathered_norms_.clear();
  double* to = gathered_.data();
  for (const std::int32_t sample : samples) {
    const double* row = samples_.dense.data + sample * samples_.dense.stride;
    for (std::int64_t f = 0; f < features; ++f) *to++ = norms_.center.empty() ? row[f] : row[f] - norms_.center[f];
    gathered_norms_.push_back(norms_.squared[sample]);
  }
  const std::int64_t pieces = (block.count() + kRowBlock - 1) / kRowBlock;
  const std::int64_t worthwhile = count * block.count() * (features + kWorkOfValue) / kRowWorkPerThread;
  const int team = int(std::max<std::int64_t>(1, std::min<std::int64_t>({threads_, pieces, worthwhile})));
#pragma omp parallel for num_threads(team) schedule(static, 1) if (team > 1)
  for (int t = 0; t < team; ++t) {
    const std::int64_t begin = pieces * t / team * kRowBlock;
    const std::int64_t end = std::min(block.count(), pieces * (t + 1) / team * kRowBlock);
    dense_kernel<Out>()(samples_.kernel,
                        {gathered_.data(), int(count), gathered_norms_.data(), features, block.panels(), block.norms(),
                         begin, end, scratch_.data() + t * block_size()},
                        out.data());
  }
}

template <class Out>
void KernelRows::compute_sparse(const SampleBlock& block, std::int32_t sample, Out* out) {
  std::fill_n(scratch_.data(), block.count(), 0.0);
  block.add_products(samples_.sparse, sample, scratch_.data());
  values_kernel<Out>()(samples_.kernel, scratch_.data(), norms_.squared[sample], block.norms(), block.count(), out);
}

}  // namespace fastml::svm
