#include "svm/indexed_vectors.hpp"

#include <algorithm>
#include <numeric>

#include "svm/decision_blocks.hpp"

namespace fastml::svm {
namespace {

// |x - y|^2 of two sparse rows with ascending indices.
double squared_distance(const Csr<double>& x, std::int64_t i, const Csr<double>& y, std::int64_t j) {
  double sum = 0;
  std::int32_t p = x.offsets[i], q = y.offsets[j];
  const std::int32_t p_end = x.offsets[i + 1], q_end = y.offsets[j + 1];
  while (p < p_end || q < q_end) {
    double difference;
    if (q == q_end || (p < p_end && x.indices[p] < y.indices[q])) {
      difference = x.values[p++];
    } else if (p == p_end || y.indices[q] < x.indices[p]) {
      difference = y.values[q++];
    } else {
      difference = x.values[p++] - y.values[q++];
    }
    sum += difference * difference;
  }
  return sum;
}

// Makes the values of the kernel between sparse rows (decision_blocks.hpp): of a sample with all vectors, whose products
// are scattered sums.
struct IndexedValues {
  const IndexedVectors& y;
  const Csr<double>& x;
  const DecisionKernels& kernels = decision_kernels();

  std::int64_t strip() const { return kIndexedStrip; }
  std::int64_t block() const { return stride(); }
  std::int64_t stride() const { return y.padded; }
  std::int64_t workspace(std::int64_t) const { return 0; }
  void start(double*, const Block&) const {}

  void fill(const double*, const Block& block, const Strip& strip, std::int64_t, std::int64_t vectors,
            const KernelValues& values) const {
    for (int i = 0; i < strip.height; ++i) {
      const std::int64_t sample = block.begin + strip.begin + i;
      double* const to = values.data + i * values.stride;
      const double norm = squared_norm(x, sample);
      const bool by_differences = y.kernel.kind == KernelKind::rbf && (y.by_differences || !(norm <= kMostNorm));
      if (by_differences) {
        for (std::int64_t s = 0; s < vectors; ++s) to[s] = -0.5 * squared_distance(x, sample, y.rows, s);
      } else {
        std::fill(to, to + vectors, 0.0);
        for (std::int32_t p = x.offsets[sample]; p < x.offsets[sample + 1]; ++p) {
          const std::int32_t feature = x.indices[p];
          const double value = x.values[p];
          for (std::int64_t e = y.offsets[feature]; e < y.offsets[feature + 1]; ++e) {
            to[y.vectors[e]] += value * y.values[e];
          }
        }
      }
      kernels.apply(y.kernel, by_differences ? 0.0 : norm, by_differences ? nullptr : y.norms.data(), vectors, to);
    }
  }
};

}  // namespace

IndexedVectors::IndexedVectors(const Kernel& kernel_, const Csr<double>& rows_)
    : kernel(kernel_), rows(rows_), padded(whole_lines<double>(std::max<std::int64_t>(rows_.rows, 1))), norms(padded) {
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    norms.data()[i] = squared_norm(rows, i);
    if (!(kernel.gamma * norms.data()[i] <= kMostSpread)) by_differences = true;
  }
  const std::int32_t first = rows.offsets[0], last = rows.offsets[rows.rows];
  offsets.assign(rows.cols + 1, 0);
  vectors.resize(last - first);
  values.resize(last - first);
  for (std::int32_t p = first; p < last; ++p) ++offsets[rows.indices[p] + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    for (std::int32_t p = rows.offsets[i]; p < rows.offsets[i + 1]; ++p) {
      const std::int64_t place = next[rows.indices[p]]++;
      vectors[place] = std::int32_t(i);
      values[place] = rows.values[p];
    }
  }
}

bool IndexedVectors::decide(const Csr<double>& samples, const DecisionTask& task) const {
  if (samples.rows == 0) return true;
  return decide_blocks(IndexedValues{*this, samples}, samples.rows, rows.rows, kIndexedSamples, task);
}

}  // namespace fastml::svm
