#include "svm/kernel_rows.hpp"

#include <algorithm>
#include <type_traits>

#include "svm/tuning.hpp"

namespace fastml::svm {
namespace {

std::int64_t block_size() { return row_kernels().most_samples * kRowBlock; }

}  // namespace

KernelRows::KernelRows(const Samples& samples, const SampleNorms& norms, std::vector<const SampleBlock*> blocks,
                       int threads)
    : samples_(samples),
      norms_(norms),
      blocks_(std::move(blocks)),
      batch_(samples.is_given() || samples.is_sparse ? 1 : row_kernels().most_samples),
      threads_(threads),
      gathered_(samples.is_given() || samples.is_sparse ? 0 : batch_ * samples.features()),
      scratch_(0) {
  std::int64_t longest = 0;
  for (const SampleBlock* block : blocks_) {
    columns_ += block->count();
    longest = std::max(longest, block->count());
  }
  if (!samples.is_given()) scratch_ = Buffer<double>(samples.is_sparse ? longest : threads * block_size());
}

std::int32_t KernelRows::sample(std::int64_t column) const {
  for (const SampleBlock* block : blocks_) {
    if (column < block->count()) return block->rows()[column];
    column -= block->count();
  }
  return -1;
}

void KernelRows::diagonal(double* values) const {
  const Kernel& kernel = samples_.kernel;
  for (const SampleBlock* block : blocks_) {
    if (samples_.is_given()) {
      for (const std::int32_t row : block->rows()) *values++ = samples_.dense.data[row * (samples_.dense.stride + 1)];
    } else if (kernel.kind == KernelKind::rbf) {
      values = std::fill_n(values, block->count(), 1.0);
    } else {
      row_kernels().values_f64(kernel, block->norms(), 0.0, block->norms(), block->count(), values);
      values += block->count();
    }
  }
}

template <class Out>
void KernelRows::compute(const std::int32_t* rows, int count, Out* const* out) {
  if (samples_.is_given()) {
    for (int i = 0; i < count; ++i) copy_given(rows[i], out[i]);
  } else if (samples_.is_sparse) {
    for (int i = 0; i < count; ++i) compute_sparse(rows[i], out[i]);
  } else {
    compute_dense(rows, count, out);
  }
}

template <class Out>
void KernelRows::compute_dense(const std::int32_t* rows, int count, Out* const* out) {
  const std::int64_t features = samples_.features();
  std::vector<double> norms(count);
  for (int i = 0; i < count; ++i) {
    const double* row = samples_.dense.data + rows[i] * samples_.dense.stride;
    double* to = gathered_.data() + i * features;
    for (std::int64_t f = 0; f < features; ++f) to[f] = norms_.center.empty() ? row[f] : row[f] - norms_.center[f];
    norms[i] = norms_.squared[rows[i]];
  }
  const auto& kernels = row_kernels();
  std::int64_t offset = 0;
  for (const SampleBlock* block : blocks_) {
    std::vector<Out*> to(out, out + count);
    for (Out*& row : to) row += offset;
    const std::int64_t pieces = (block->count() + kRowBlock - 1) / kRowBlock;
    const std::int64_t worthwhile = count * block->count() * (features + kWorkOfValue) / kRowWorkPerThread;
    const int team = int(std::max<std::int64_t>(1, std::min<std::int64_t>({threads_, pieces, worthwhile})));
#pragma omp parallel for num_threads(team) schedule(static, 1) if (team > 1)
    for (int t = 0; t < team; ++t) {
      const std::int64_t begin = pieces * t / team * kRowBlock;
      const std::int64_t end = std::min(block->count(), pieces * (t + 1) / team * kRowBlock);
      const DenseRows task{gathered_.data(),
                           count,
                           norms.data(),
                           features,
                           block->panels(),
                           block->norms(),
                           begin,
                           end,
                           scratch_.data() + t * block_size()};
      if constexpr (std::is_same_v<Out, float>) {
        kernels.dense_f32(samples_.kernel, task, to.data());
      } else {
        kernels.dense_f64(samples_.kernel, task, to.data());
      }
    }
    offset += block->count();
  }
}

template <class Out>
void KernelRows::compute_sparse(std::int32_t row, Out* out) {
  const auto& kernels = row_kernels();
  for (const SampleBlock* block : blocks_) {
    std::fill_n(scratch_.data(), block->count(), 0.0);
    block->add_products(samples_.sparse, row, scratch_.data());
    if constexpr (std::is_same_v<Out, float>) {
      kernels.values_f32(samples_.kernel, scratch_.data(), norms_.squared[row], block->norms(), block->count(), out);
    } else {
      kernels.values_f64(samples_.kernel, scratch_.data(), norms_.squared[row], block->norms(), block->count(), out);
    }
    out += block->count();
  }
}

template <class Out>
void KernelRows::copy_given(std::int32_t row, Out* out) const {
  const double* values = samples_.dense.data + row * samples_.dense.stride;
  for (const SampleBlock* block : blocks_) {
    for (const std::int32_t column : block->rows()) *out++ = Out(values[column]);
  }
}

template void KernelRows::compute(const std::int32_t*, int, float* const*);
template void KernelRows::compute(const std::int32_t*, int, double* const*);

}  // namespace fastml::svm
