// Rows of the kernel matrix of one problem, computed a few at a time.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/buffer.hpp"
#include "svm/own_rows.hpp"
#include "svm/row_kernels.hpp"
#include "svm/sample_block.hpp"
#include "svm/samples.hpp"

namespace fastml::svm {

// The columns are the samples of one part, or of two one after the other: pairs of classes share the blocks of classes, and
// what rows have in the columns of their own class. One thread's; `threads` of its own compute large rows.
class KernelRows {
 public:
  struct Part {
    const SampleBlock* block;
    OwnRows* own = nullptr;  // where rows of the block's samples are kept for others
  };

  KernelRows(const Samples& samples, const SampleNorms& norms, std::vector<Part> parts, int threads);

  std::int64_t columns() const { return columns_; }
  const Samples& samples() const { return samples_; }
  const SampleNorms& norms() const { return norms_; }
  int threads() const { return threads_; }
  // The sample of a column.
  std::int32_t sample(std::int64_t column) const;
  // The columns of the part that a column is in: [first, second).
  std::pair<std::int64_t, std::int64_t> part_of(std::int64_t column) const;
  // Rows that are best computed together: alone, a row of dense samples waits for memory.
  int batch() const { return batch_; }

  // Which share of the rows that are computed with one that is needed must be used later for that to be worth it.
  double worthwhile_guesses() const;

  // K(x, x) of each column's sample.
  void diagonal(double* values) const;

  // out[i][c] = K(sample of column rows[i], sample of column c), count <= batch().
  void compute(const std::int32_t* rows, int count, float* const* out);
  // out[i][c] = K(sample rows[i], sample of column c), count <= batch().
  void compute_for(const std::int32_t* samples, int count, double* const* out);

 private:
  std::int64_t block_size() const { return batch_ * kRowBlock; }
  template <class Out>
  void compute_part(const SampleBlock& block, const std::vector<std::int32_t>& samples, const std::vector<Out*>& out);
  template <class Out>
  void compute_dense(const SampleBlock& block, const std::vector<std::int32_t>& samples, const std::vector<Out*>& out);
  template <class Out>
  void compute_sparse(const SampleBlock& block, std::int32_t sample, Out* out);

  const Samples& samples_;
  const SampleNorms& norms_;
  std::vector<Part> parts_;
  std::int64_t columns_ = 0;
  int batch_, threads_;
  // Of a batch, the rows of a part that are not known: their samples, where their values go, and their places in the part or
  // -1. Kept here, as problems of a hundred samples would spend their time on allocating them.
  std::vector<std::int32_t> missing_;
  std::vector<float*> missing_values_;
  std::vector<std::int64_t> missing_members_;
  std::vector<double> gathered_norms_;
  Buffer<double> gathered_;  // the samples of a batch
  Buffer<double> scratch_;   // dense: a block of products for each thread; sparse: a row of products
};

}  // namespace fastml::svm
