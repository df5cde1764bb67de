// Rows of the kernel matrix of one problem, computed a few at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/buffer.hpp"
#include "svm/row_kernels.hpp"
#include "svm/sample_block.hpp"
#include "svm/samples.hpp"

namespace fastml::svm {

// The columns are the samples of one block, or of two one after the other: pairs of classes share the blocks of classes.
// One thread's; `threads` of its own compute large rows.
class KernelRows {
 public:
  KernelRows(const Samples& samples, const SampleNorms& norms, std::vector<const SampleBlock*> blocks, int threads);

  std::int64_t columns() const { return columns_; }
  // The sample that a column stands for.
  std::int32_t sample(std::int64_t column) const;
  // Rows that are best computed together: alone, a row of dense samples waits for memory.
  int batch() const { return batch_; }

  // K(x, x) of each column's sample.
  void diagonal(double* values) const;

  // out[i][c] = K(sample rows[i], sample of column c), count <= batch(). Out is float or double.
  template <class Out>
  void compute(const std::int32_t* rows, int count, Out* const* out);

 private:
  template <class Out>
  void compute_dense(const std::int32_t* rows, int count, Out* const* out);
  template <class Out>
  void compute_sparse(std::int32_t row, Out* out);
  template <class Out>
  void copy_given(std::int32_t row, Out* out) const;

  const Samples& samples_;
  const SampleNorms& norms_;
  std::vector<const SampleBlock*> blocks_;
  std::int64_t columns_ = 0;
  int batch_, threads_;
  Buffer<double> gathered_;  // the samples of a batch
  Buffer<double> scratch_;   // dense: a block of products for each thread; sparse: a row of products
};

}  // namespace fastml::svm
