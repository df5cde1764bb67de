#include "svm/sample_block.hpp"

#include "svm/row_kernels.hpp"

namespace fastml::svm {
namespace {

std::int64_t whole_panels(std::size_t columns) {
  const std::int64_t panel = row_kernels().panel_cols;
  return (std::int64_t(columns) + panel - 1) / panel * panel;
}

}  // namespace

SampleBlock::SampleBlock(const Samples& samples, const SampleNorms& norms, std::vector<std::int32_t> rows)
    : rows_(std::move(rows)), norms_(samples.is_given() ? 0 : whole_panels(rows_.size())), panels_(0) {
  if (samples.is_given()) return;
  for (std::size_t c = 0; c < rows_.size(); ++c) norms_.data()[c] = norms.squared[rows_[c]];
  if (samples.is_sparse) {
    index(samples.sparse);
  } else {
    pack(samples.dense, norms.center);
  }
}

void SampleBlock::pack(const Rows<const double>& x, const std::vector<double>& center) {
  const std::int64_t panel = row_kernels().panel_cols;
  panels_ = Buffer<double>(whole_panels(rows_.size()) * x.cols);
  for (std::int64_t c = 0; c < count(); ++c) {
    const double* row = x.data + rows_[c] * x.stride;
    double* to = panels_.data() + c / panel * panel * x.cols + c % panel;
    for (std::int64_t f = 0; f < x.cols; ++f) to[f * panel] = center.empty() ? row[f] : row[f] - center[f];
  }
}

void SampleBlock::index(const Csr<double>& x) {
  starts_.assign(x.cols + 1, 0);
  for (const std::int32_t row : rows_) {
    for (std::int32_t p = x.offsets[row]; p < x.offsets[row + 1]; ++p) ++starts_[x.indices[p] + 1];
  }
  for (std::int64_t f = 0; f < x.cols; ++f) starts_[f + 1] += starts_[f];
  columns_.resize(starts_[x.cols]);
  values_.resize(starts_[x.cols]);
  std::vector<std::int64_t> next(starts_.begin(), starts_.end() - 1);
  for (std::int64_t c = 0; c < count(); ++c) {
    for (std::int32_t p = x.offsets[rows_[c]]; p < x.offsets[rows_[c] + 1]; ++p) {
      const std::int64_t place = next[x.indices[p]]++;
      columns_[place] = std::int32_t(c);
      values_[place] = x.values[p];
    }
  }
}

void SampleBlock::add_products(const Csr<double>& x, std::int32_t row, double* sums) const {
  for (std::int32_t p = x.offsets[row]; p < x.offsets[row + 1]; ++p) {
    const double value = x.values[p];
    for (std::int64_t e = starts_[x.indices[p]]; e < starts_[x.indices[p] + 1]; ++e)
      sums[columns_[e]] += value * values_[e];
  }
}

}  // namespace fastml::svm
