// Support vectors in panels, and the decisions of samples by products with them.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/buffer.hpp"
#include "runtime/views.hpp"
#include "svm/decision_task.hpp"
#include "svm/kernel.hpp"

namespace fastml::svm {

// Vectors of which one is asked for at a time, dense.
struct DenseVectors {
  Rows<const double> rows;
  std::int64_t count() const { return rows.rows; }
  std::int64_t features() const { return rows.cols; }
  // The vectors [begin, begin + count), stride() apart: where they lie, or copied to memory of count x features().
  const double* block(std::int64_t begin, std::int64_t, double*) const { return rows.data + begin * rows.stride; }
  std::int64_t stride() const { return rows.stride; }
  static constexpr bool is_copied = false;
};
struct SparseVectors {
  Csr<double> rows;
  std::int64_t count() const { return rows.rows; }
  std::int64_t features() const { return rows.cols; }
  const double* block(std::int64_t begin, std::int64_t count, double* memory) const;
  std::int64_t stride() const { return rows.cols; }
  static constexpr bool is_copied = true;
};

struct PackedVectors {
  Kernel kernel;
  std::int64_t count, features;
  bool by_differences = false;
  std::vector<double> center;  // what panels and samples are shifted by; empty for nothing
  Buffer<double> panels{0}, norms{0};
  double most_norm = 0;  // infinity where one is NaN

  PackedVectors(const Kernel& kernel, const DenseVectors& vectors);
  PackedVectors(const Kernel& kernel, const SparseVectors& vectors);

  // Returns false when stopped. `overflowed` is set where the products of some sample may have left the range of doubles.
  bool decide(const DenseVectors& samples, const DecisionTask& task, bool& overflowed) const;
  bool decide(const SparseVectors& samples, const DecisionTask& task, bool& overflowed) const;

 private:
  template <class Vectors>
  void center_and_pack(const Vectors& vectors);
  template <class Vectors>
  void pack(const Vectors& vectors);
};

}  // namespace fastml::svm
