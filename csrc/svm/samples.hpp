// The samples of a support vector machine as they were given: dense rows, sparse rows, or a matrix of kernel values.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/buffer.hpp"
#include "runtime/views.hpp"
#include "svm/kernel.hpp"

namespace fastml::svm {

// Borrowed; exactly one of the two is set. With given kernel values `dense` is square: K of each pair of samples.
struct Samples {
  Rows<const double> dense;
  Csr<double> sparse;
  bool is_sparse;
  Kernel kernel;

  std::int64_t count() const { return is_sparse ? sparse.rows : dense.rows; }
  std::int64_t features() const { return is_sparse ? sparse.cols : dense.cols; }
  bool is_given() const { return kernel.kind == KernelKind::precomputed; }
};

// What kernel values need of every sample besides its features.
struct SampleNorms {
  // |x|^2, of x less the centre; empty with given values.
  std::vector<double> squared;
  // Taken from every dense sample, or empty. Distances do not change, but |x|^2 + |y|^2 - 2 x.y has lost its digits where
  // samples lie much farther from the origin than from each other.
  std::vector<double> center;

  explicit SampleNorms(const Samples& samples);
};

}  // namespace fastml::svm
