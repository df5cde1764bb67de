// What the bindings of kernel machines are given: names of kernels, sparse rows.
#pragma once

#include "bindings.hpp"
#include "svm/kernel.hpp"

namespace fastml {

// The kernel of a name; 'precomputed' is not among them, since there is nothing to compute.
svm::KernelKind kernel_kind_of(const std::string& name);

// The arrays (data, indices, indptr) of CSR rows and the number of their columns.
struct SparseRows {
  Array<double> values;
  Array<std::int32_t> indices, offsets;
  Csr<double> rows{};

  explicit SparseRows(const py::tuple& x);
};

}  // namespace fastml
