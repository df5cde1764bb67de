// Decisions of kernel machines: sums over support vectors of dual coefficients times values of the kernel, for all pairs of
// classes at once.
//
// Support vectors are grouped by class. The decision of classes i < j sums the vectors of i with row j - 1 of the dual
// coefficients and those of j with row i; so a vector of one class counts with every row once, and each value of the kernel
// is multiplied by all coefficients of its vector. The kernel matrix is never in memory as a whole: a tile of samples meets
// a block of support vectors, and only the sums stay.
//
// rbf is computed about the mean of the support vectors, so that data far from the origin lose nothing; where that is not
// enough, by differences (kMostSpread). A linear machine with many samples adds its support vectors up first.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/views.hpp"
#include "svm/decision_task.hpp"
#include "svm/indexed_vectors.hpp"
#include "svm/kernel.hpp"
#include "svm/packed_vectors.hpp"

namespace fastml::svm {

// The support vectors of a machine as the loops read them. The vectors given are kept by reference, and must not change.
// Its functions may be called from several threads at a time; decide() returns false when stopped.
class SupportVectors {
 public:
  SupportVectors(const Kernel& kernel, const Rows<const double>& vectors);
  // Indices ascend within rows, here and in samples.
  SupportVectors(const Kernel& kernel, const Csr<double>& vectors);

  std::int64_t count() const { return count_; }
  std::int64_t features() const { return features_; }
  bool is_sparse() const { return is_sparse_; }
  // Scalar operations for a sample, roughly.
  double work() const;

  // Samples with the features of the vectors; sparse ones where the vectors are sparse.
  bool decide(const Rows<const double>& samples, const DecisionTask& task) const;
  bool decide(const Csr<double>& samples, const DecisionTask& task) const;

 private:
  template <class Vectors>
  bool decide_packed(const Vectors& samples, const DecisionTask& task) const;

  Kernel kernel_;
  bool is_sparse_;
  std::int64_t count_, features_;
  Rows<const double> dense_{};
  Csr<double> sparse_{};
  std::unique_ptr<PackedVectors> packed_;
  std::unique_ptr<IndexedVectors> indexed_;
};

// Decisions where the values of the kernel are given: samples x all that the machine was fitted on, of which columns[s]
// is support vector s.
bool decide_given(const Rows<const double>& values, const std::int32_t* columns, std::int64_t vectors,
                  const DecisionTask& task);

}  // namespace fastml::svm
