// A set of samples laid out to be the columns of rows of the kernel matrix.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/buffer.hpp"
#include "svm/samples.hpp"

namespace fastml::svm {

// Dense samples lie in panels, as RowKernels reads them. Sparse ones lie by feature, with the samples that have it: a row
// then costs only what two samples share. Kernel values that are given are read where they are.
class SampleBlock {
 public:
  // `rows` are indices of samples, in the order of the columns.
  SampleBlock(const Samples& samples, const SampleNorms& norms, std::vector<std::int32_t> rows);

  std::int64_t count() const { return std::int64_t(rows_.size()); }
  const std::vector<std::int32_t>& rows() const { return rows_; }
  // |x|^2 of the columns; readable to the end of a panel.
  const double* norms() const { return norms_.data(); }
  const double* panels() const { return panels_.data(); }

  // sums[c] += x . y_c for all columns c, in the order of x's features.
  void add_products(const Csr<double>& x, std::int32_t row, double* sums) const;

 private:
  void pack(const Rows<const double>& x, const std::vector<double>& center);
  void index(const Csr<double>& x);

  std::vector<std::int32_t> rows_;
  Buffer<double> norms_;
  Buffer<double> panels_;
  std::vector<std::int64_t> starts_;  // of each feature's entries, and their end
  std::vector<std::int32_t> columns_;
  std::vector<double> values_;
};

}  // namespace fastml::svm
