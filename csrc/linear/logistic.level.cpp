#include "linear/logistic_dense.hpp"
#include "linear/logistic_kernels.hpp"
#include "linear/logistic_link.hpp"
#include "linear/logistic_sparse.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using linear::LogisticKernels;
using linear::LogisticModel;
using linear::LogisticSums;
using linear::LogisticTargets;

// Rows of a block: whole panels, about kBlockBytes.
template <class T>
FASTML_INLINE std::int64_t block_rows(std::int64_t padded) {
  const std::int64_t fitting = kBlockBytes / (padded * std::int64_t(sizeof(T))) / kPanelRows<T> * kPanelRows<T>;
  return fitting < kPanelRows<T> ? kPanelRows<T> : fitting > kBlockRows ? kBlockRows : fitting;
}

template <class T>
FASTML_INLINE constexpr bool is_sparse(const DenseSamples<T>*) {
  return false;
}
FASTML_INLINE constexpr bool is_sparse(const SparseSamples*) { return true; }

// Where the parts of a thread's scratch memory lie, each padded to whole vectors. Sparse samples need no more than the
// scores of a block; what else is named for them has no memory.
template <class Samples>
struct Workspace {
  using T = typename Samples::Value;

  T* scores;
  T* losses;
  T* row;            // the outputs of one row
  T* bends;          // Hessian: the curvature of one pair of outputs
  T* probabilities;  // Hessian: of all outputs
  T* panel;          // rows transposed
  T* copy;           // rows whose last vectors may not be read past the end of X
  T* augmented;      // Hessian: rows with a 1 behind their features
  T* scaled;         // Hessian: the same times the curvature

  static std::int64_t size(std::int64_t features, std::int64_t outputs) {
    const std::int64_t padded = whole_vectors<T>(features);
    return kBlockRows * (2 * outputs + 2) + whole_vectors<T>(outputs) + kPanelRows<T> * dense(padded) +
           copied(features, padded);
  }
  static std::int64_t hessian_size(std::int64_t features, std::int64_t outputs) {
    return size(features, outputs) + 2 * copied(features, whole_vectors<T>(features + 1));
  }

  Workspace(T* scratch, std::int64_t features, std::int64_t outputs) {
    const std::int64_t padded = whole_vectors<T>(features);
    scores = scratch;
    losses = scores + kBlockRows * outputs;
    bends = losses + kBlockRows;
    probabilities = bends + kBlockRows;
    row = probabilities + kBlockRows * outputs;
    panel = row + whole_vectors<T>(outputs);
    copy = panel + kPanelRows<T> * dense(padded);
    augmented = copy + copied(features, padded);
    scaled = augmented + copied(features, whole_vectors<T>(features + 1));
  }

 private:
  static std::int64_t dense(std::int64_t elements) { return is_sparse(static_cast<Samples*>(nullptr)) ? 0 : elements; }
  // A block of rows, each of `width` elements.
  static std::int64_t copied(std::int64_t features, std::int64_t width) {
    return dense(block_rows<T>(whole_vectors<T>(features)) * width);
  }
};

template <class T>
FASTML_INLINE std::int64_t features_of(const DenseSamples<T>& samples) {
  return samples.x.cols;
}
FASTML_INLINE std::int64_t features_of(const SparseSamples& samples) { return samples.cols; }

template <class T>
FASTML_INLINE std::int64_t rows_of(const DenseSamples<T>& samples) {
  return samples.x.rows;
}
FASTML_INLINE std::int64_t rows_of(const SparseSamples& samples) { return samples.rows; }

template <class T>
FASTML_INLINE std::int64_t block_rows(const DenseSamples<T>& samples) {
  return block_rows<T>(whole_vectors<T>(samples.x.cols));
}
FASTML_INLINE std::int64_t block_rows(const SparseSamples&) { return kBlockRows; }

// Rows [first, first + count). The last rows of X are copied where their last vectors would reach behind it.
template <class T>
FASTML_INLINE DenseBlock<T> block_of(const DenseSamples<T>& samples, std::int64_t first, std::int64_t count,
                                     std::int64_t outputs, const Workspace<DenseSamples<T>>& work) {
  const Rows<const T>& x = samples.x;
  const std::int64_t padded = whole_vectors<T>(x.cols);
  const T* rows = x.data + first * x.stride;
  const std::int64_t behind = x.rows - first;
  if ((count - 1) * x.stride + padded <= (behind - 1) * x.stride + x.cols) {
    return {rows, x.stride, x.cols, outputs, count, work.panel};
  }
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t j = 0; j < padded; ++j) work.copy[r * padded + j] = j < x.cols ? rows[r * x.stride + j] : T(0);
  }
  return {work.copy, padded, x.cols, outputs, count, work.panel};
}

FASTML_INLINE SparseBlock block_of(const SparseSamples& samples, std::int64_t first, std::int64_t count,
                                   std::int64_t outputs, const Workspace<SparseSamples>& work) {
  return {samples.values, samples.indices, samples.offsets + first, outputs, count, work.row};
}

// Calls step(block, first, count) for the blocks of rows [begin, end).
template <class Samples, class Step>
FASTML_INLINE void for_each_block(const Samples& samples, std::int64_t outputs, std::int64_t begin, std::int64_t end,
                                  const Workspace<Samples>& work, const Step& step) {
  const std::int64_t most = block_rows(samples);
  for (std::int64_t first = begin; first < end; first += most) {
    const std::int64_t count = end - first < most ? end - first : most;
    step(block_of(samples, first, count, outputs, work), first, count);
  }
}

template <class T>
FASTML_INLINE const T* from(const T* values, std::int64_t first) {
  return values == nullptr ? nullptr : values + first;
}

template <class Block, class T>
FASTML_INLINE void add_sums(const Block& block, const T* derivatives, LogisticSums sums) {
  block.add_gradient(derivatives, sums.values, sums.padded);
  double* intercepts = sums.values + block.outputs * sums.padded;
  for (std::int64_t c = 0; c < block.outputs; ++c) {
    intercepts[c] += sum_in_double(derivatives + c * kBlockRows, block.count);
  }
}

template <class Samples, class T = typename Samples::Value>
double loss_gradient(const Samples& samples, const LogisticTargets<T>& targets, const LogisticModel<T>& model,
                     std::int64_t begin, std::int64_t end, T* scratch, T* curvature, LogisticSums sums) {
  const std::int64_t outputs = targets.outputs, features = features_of(samples), rows = rows_of(samples);
  const Workspace<Samples> work(scratch, features, outputs);
  double loss = 0;
  for_each_block(samples, outputs, begin, end, work,
                 [&](const auto& block, std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
                   block.scores(model, work.scores);
                   T* bends = curvature == nullptr ? nullptr : curvature + first;
                   const T* weights = from(targets.weights, first);
                   if (outputs == 1) {
                     binary_link(work.scores, targets.classes + first, weights, count, work.losses, bends);
                   } else {
                     softmax_link(work.scores, outputs, targets.classes + first, weights, count, work.losses, bends,
                                  rows);
                   }
                   loss += sum_in_double(work.losses, count);
                   add_sums(block, work.scores, sums);
                 });
  return loss;
}

template <class Samples, class T = typename Samples::Value>
void hessian_product(const Samples& samples, const LogisticTargets<T>& targets, const LogisticModel<T>& direction,
                     std::int64_t begin, std::int64_t end, T* scratch, const T* curvature, LogisticSums sums) {
  const std::int64_t outputs = targets.outputs, features = features_of(samples), rows = rows_of(samples);
  const Workspace<Samples> work(scratch, features, outputs);
  for_each_block(samples, outputs, begin, end, work,
                 [&](const auto& block, std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
                   block.scores(direction, work.scores);
                   curvature_link(work.scores, outputs, from(targets.weights, first), count, curvature + first, rows);
                   add_sums(block, work.scores, sums);
                 });
}

// Adds X' diag(work.bends) X of a block to a matrix, tile by tile, from the diagonal on.
template <class T>
FASTML_INLINE void add_pair(const DenseBlock<T>& block, const Workspace<DenseSamples<T>>& work, std::int64_t,
                            double* to) {
  const std::int64_t order = block.features + 1, width = whole_vectors<T>(order);
  for (std::int64_t r = 0; r < block.count; ++r) {
    for (std::int64_t j = 0; j < width; j += kLanes<T>) {
      store(work.scaled + r * width + j, work.bends[r] * load(work.augmented + r * width + j));
    }
  }
  constexpr std::int64_t wide = kTileVectors * kLanes<T>;
  for (std::int64_t i = 0; i < order; i += kTileRows) {
    const int height = int(order - i < kTileRows ? order - i : kTileRows);
    with_rows<kTileRows>(height, [&](auto rows) __attribute__((always_inline)) {
      constexpr int MR = decltype(rows)::value;
      const auto tile = [&](auto vectors, std::int64_t j) __attribute__((always_inline)) {
        constexpr int NV = decltype(vectors)::value;
        vec<T> sums[MR][NV] = {};
        multiply_tile(block.count, SideBySide<T>{work.scaled + i, width}, work.augmented + j, width, sums);
#pragma GCC unroll 16
        for (int a = 0; a < MR; ++a) {
#pragma GCC unroll 8
          for (int v = 0; v < NV; ++v) add_in_double<T>(to + (i + a) * width + j + v * kLanes<T>, sums[a][v]);
        }
      };
      std::int64_t j = i / kLanes<T> * kLanes<T>;
      for (; j + wide - kLanes<T> < order; j += wide) tile(RowCount<kTileVectors>{}, j);
      for (; j < order; j += kLanes<T>) tile(RowCount<1>{}, j);
    });
  }
}

FASTML_INLINE void add_pair(const SparseBlock& block, const Workspace<SparseSamples>& work, std::int64_t features,
                            double* to) {
  block.add_hessian(work.bends, features, to, whole_vectors<double>(features + 1));
}

// Rows of the block with a 1 behind their features, and zeros up to whole vectors.
template <class T>
FASTML_INLINE void augment(const DenseBlock<T>& block, const Workspace<DenseSamples<T>>& work) {
  const std::int64_t width = whole_vectors<T>(block.features + 1);
  for (std::int64_t r = 0; r < block.count; ++r) {
    T* to = work.augmented + r * width;
    std::int64_t j = 0;
    for (; j < block.features; ++j) to[j] = block.x[r * block.stride + j];
    to[j++] = T(1);
    for (; j < width; ++j) to[j] = T(0);
  }
}

FASTML_INLINE void augment(const SparseBlock&, const Workspace<SparseSamples>&) {}

template <class T>
std::int64_t hessian_stride(std::int64_t features) {
  return whole_vectors<T>(features + 1);
}

template <class Samples, class T = typename Samples::Value>
double hessian(const Samples& samples, const LogisticTargets<T>& targets, const LogisticModel<T>& model,
               std::int64_t begin, std::int64_t end, T* scratch, LogisticSums sums, double* to) {
  const std::int64_t outputs = targets.outputs, features = features_of(samples);
  const std::int64_t size = (features + 1) * hessian_stride<T>(features);
  const Workspace<Samples> work(scratch, features, outputs);
  double loss = 0;
  for_each_block(samples, outputs, begin, end, work,
                 [&](const auto& block, std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
                   const T* weights = from(targets.weights, first);
                   block.scores(model, work.scores);
                   if (outputs == 1) {
                     binary_link(work.scores, targets.classes + first, weights, count, work.losses, work.bends);
                   } else {
                     softmax_link(work.scores, outputs, targets.classes + first, weights, count, work.losses,
                                  work.probabilities, kBlockRows);
                   }
                   loss += sum_in_double(work.losses, count);
                   add_sums(block, work.scores, sums);
                   augment(block, work);
                   if (outputs == 1) {
                     add_pair(block, work, features, to);
                     return;
                   }
                   for (std::int64_t a = 0, pair = 0; a < outputs; ++a) {
                     const T* p = work.probabilities + a * kBlockRows;
                     for (std::int64_t b = 0; b <= a; ++b, ++pair) {
                       const T* q = work.probabilities + b * kBlockRows;
                       for (std::int64_t r = 0; r < count; ++r) {
                         const T bend = a == b ? p[r] * (T(1) - p[r]) : -p[r] * q[r];
                         work.bends[r] = weights == nullptr ? bend : bend * weights[r];
                       }
                       add_pair(block, work, features, to + pair * size);
                     }
                   }
                 });
  return loss;
}

template <class Samples, class T = typename Samples::Value>
void probabilities(const Samples& samples, std::int64_t outputs, const LogisticModel<T>& model, std::int64_t begin,
                   std::int64_t end, T* scratch, T* to) {
  const Workspace<Samples> work(scratch, features_of(samples), outputs);
  const std::int64_t classes = outputs == 1 ? 2 : outputs;
  for_each_block(samples, outputs, begin, end, work,
                 [&](const auto& block, std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
                   block.scores(model, work.scores);
                   probability_link(work.scores, outputs, count, to + first * classes);
                 });
}

template <class Samples, class T = typename Samples::Value>
constexpr LogisticKernels<Samples> kernels() {
  return {kLanes<T>,
          Workspace<Samples>::size,
          Workspace<Samples>::hessian_size,
          loss_gradient<Samples>,
          hessian_product<Samples>,
          hessian<Samples>,
          hessian_stride<T>,
          probabilities<Samples>};
}

}  // namespace

extern const LogisticKernels<DenseSamples<float>> logistic_table_f32;
extern const LogisticKernels<DenseSamples<double>> logistic_table_f64;
extern const LogisticKernels<SparseSamples> logistic_table_csr;
const LogisticKernels<DenseSamples<float>> logistic_table_f32 = kernels<DenseSamples<float>>();
const LogisticKernels<DenseSamples<double>> logistic_table_f64 = kernels<DenseSamples<double>>();
const LogisticKernels<SparseSamples> logistic_table_csr = kernels<SparseSamples>();

}  // namespace FASTML_LEVEL
}  // namespace fastml
