// Sparse support vectors by feature, and the decisions of sparse samples: for each feature that a sample has, the vectors
// that have it, too.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/buffer.hpp"
#include "runtime/views.hpp"
#include "svm/decision_task.hpp"
#include "svm/kernel.hpp"

namespace fastml::svm {

struct IndexedVectors {
  Kernel kernel;
  Csr<double> rows;  // kept by reference
  bool by_differences = false;
  std::int64_t padded;  // vectors, and what fills up the last register
  Buffer<double> norms;
  // The values of feature f stand from offsets[f] to offsets[f + 1], with the vectors that they belong to.
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> vectors;
  std::vector<double> values;

  IndexedVectors(const Kernel& kernel, const Csr<double>& rows);

  // Returns false when stopped.
  bool decide(const Csr<double>& samples, const DecisionTask& task) const;
};

}  // namespace fastml::svm
