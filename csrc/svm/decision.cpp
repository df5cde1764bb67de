#include "svm/decision.hpp"

#include <algorithm>
#include <vector>

#include "svm/decision_blocks.hpp"

namespace fastml::svm {
namespace {

// Values of the kernel that are given (decision_blocks.hpp).
struct GivenValues {
  Rows<const double> rows;
  const std::int32_t* columns;
  std::int64_t vectors;

  std::int64_t strip() const { return kGivenStrip; }
  std::int64_t block() const { return kStripValues / kGivenStrip; }
  std::int64_t stride() const { return block(); }
  std::int64_t workspace(std::int64_t) const { return 0; }
  void start(double*, const Block&) const {}

  void fill(const double*, const Block& block, const Strip& strip, std::int64_t first, std::int64_t count,
            const KernelValues& values) const {
    for (int i = 0; i < strip.height; ++i) {
      const double* const row = rows.data + (block.begin + strip.begin + i) * rows.stride;
      double* const to = values.data + i * values.stride;
      for (std::int64_t s = 0; s < count; ++s) to[s] = row[columns[first + s]];
    }
  }
};

// to[(c * outputs + q) * features + f]: the vectors of class c, weighed with row q of the coefficients.
template <class Vectors>
std::vector<double> weighed_sums(const Vectors& vectors, const DecisionTask& task) {
  const std::int64_t outputs = task.answer.outputs(), features = vectors.features(), count = vectors.count();
  std::vector<double> sums(task.answer.classes * outputs * features, 0.0);
  std::vector<double> memory(Vectors::is_copied ? features : 0);
  std::int64_t c = 0, end = task.counts[0];
  for (std::int64_t s = 0; s < count; ++s) {
    while (s == end) end += task.counts[++c];
    const double* const y = vectors.block(s, 1, memory.data());
    for (std::int64_t q = 0; q < outputs; ++q) {
      const double weight = task.dual[q * count + s];
      double* const to = sums.data() + (c * outputs + q) * features;
      for (std::int64_t f = 0; f < features; ++f) to[f] += weight * y[f];
    }
  }
  return sums;
}

}  // namespace

SupportVectors::SupportVectors(const Kernel& kernel, const Rows<const double>& vectors)
    : kernel_(kernel), is_sparse_(false), count_(vectors.rows), features_(vectors.cols), dense_(vectors) {
  packed_ = std::make_unique<PackedVectors>(kernel, DenseVectors{vectors});
}

SupportVectors::SupportVectors(const Kernel& kernel, const Csr<double>& vectors)
    : kernel_(kernel), is_sparse_(true), count_(vectors.rows), features_(vectors.cols), sparse_(vectors) {
  const double stored = double(vectors.offsets[vectors.rows] - vectors.offsets[0]);
  if (stored >= kDenseShare * double(count_) * double(features_)) {
    packed_ = std::make_unique<PackedVectors>(kernel, SparseVectors{vectors});
  } else {
    indexed_ = std::make_unique<IndexedVectors>(kernel, vectors);
  }
}

double SupportVectors::work() const {
  const double stored = is_sparse_ ? double(sparse_.offsets[count_] - sparse_.offsets[0]) : 0.0;
  return packed_ ? double(count_) * (double(features_) + kValueWork) : stored + double(count_) * kValueWork;
}

template <class Vectors>
bool SupportVectors::decide_packed(const Vectors& samples, const DecisionTask& task) const {
  const std::int64_t outputs = task.answer.outputs(), sums = task.answer.classes * outputs;
  bool overflowed = false;
  if (kernel_.kind == KernelKind::linear && std::min(count_, samples.count()) > kCollapseGain * sums) {
    // The sums are the vectors of a machine in which each of them counts for itself.
    const std::vector<double> weighed =
        is_sparse_ ? weighed_sums(SparseVectors{sparse_}, task) : weighed_sums(DenseVectors{dense_}, task);
    const PackedVectors collapsed(kernel_, DenseVectors{{weighed.data(), sums, features_, features_}});
    std::vector<double> itself(outputs * sums, 0.0);
    for (std::int64_t s = 0; s < sums; ++s) itself[s % outputs * sums + s] = 1;
    const std::vector<std::int64_t> counts(task.answer.classes, outputs);
    DecisionTask collapsed_task = task;
    collapsed_task.dual = itself.data();
    collapsed_task.counts = counts.data();
    const bool finished = collapsed.decide(samples, collapsed_task, overflowed);
    if (!finished) return false;
    if (!overflowed && collapsed.most_norm <= kMostNorm) return true;
  }
  return packed_->decide(samples, task, overflowed);
}

bool SupportVectors::decide(const Rows<const double>& samples, const DecisionTask& task) const {
  return decide_packed(DenseVectors{samples}, task);
}

bool SupportVectors::decide(const Csr<double>& samples, const DecisionTask& task) const {
  return packed_ ? decide_packed(SparseVectors{samples}, task) : indexed_->decide(samples, task);
}

bool decide_given(const Rows<const double>& values, const std::int32_t* columns, std::int64_t vectors,
                  const DecisionTask& task) {
  if (values.rows == 0) return true;
  return decide_blocks(GivenValues{values, columns, vectors}, values.rows, vectors, kBlockSamples, task);
}

}  // namespace fastml::svm
