#include "svm_arguments.hpp"

namespace fastml {

svm::KernelKind kernel_kind_of(const std::string& name) {
  using svm::KernelKind;
  if (name == "linear") return KernelKind::linear;
  if (name == "poly") return KernelKind::poly;
  if (name == "rbf") return KernelKind::rbf;
  require(name == "sigmoid", "kernel: expected 'linear', 'poly', 'rbf' or 'sigmoid', got '" + name + "'");
  return KernelKind::sigmoid;
}

SparseRows::SparseRows(const py::tuple& x) {
  require(x.size() == 4, "a CSR input is (data, indices, indptr, n_features)");
  require(py::isinstance<Array<double>>(x[0]) && py::isinstance<Array<std::int32_t>>(x[1]) &&
              py::isinstance<Array<std::int32_t>>(x[2]),
          "a CSR input has float64 data, int32 indices and int32 indptr");
  values = x[0].cast<Array<double>>();
  indices = x[1].cast<Array<std::int32_t>>();
  offsets = x[2].cast<Array<std::int32_t>>();
  require(values.size() == indices.size() && offsets.size() >= 1, "CSR arrays of unequal lengths");
  rows = {values.data(), indices.data(), offsets.data(), offsets.size() - 1, x[3].cast<std::int64_t>()};
  require(rows.cols >= 0, "CSR rows: expected a number of features from 0");
  require(in_bounds(rows, values.size()), "CSR offsets or column indices out of range");
}

}  // namespace fastml
