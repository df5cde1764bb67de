#include "bindings.hpp"
#include "decomposition/sparse_product.hpp"

namespace fastml {
namespace {

using decomposition::Outcome;
using decomposition::SparseMatrix;

template <class T, class Index>
SparseMatrix<T, Index> sparse_matrix(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                                     std::int64_t columns) {
  require(offsets.size() > 0 && columns >= 0, "expected an offset or more, and no negative number of columns");
  const SparseMatrix<T, Index> a{values.data(), indices.data(), offsets.data(), offsets.size() - 1, columns};
  require(decomposition::are_offsets(a.offsets, a.rows, std::min(values.size(), indices.size())),
          "offsets: expected an ascending sequence from 0 on, within the values");
  return a;
}

void check(Outcome outcome) {
  require(outcome != Outcome::index_out_of_range, "indices: expected columns of the matrix");
  raise_if(outcome == Outcome::stopped);
}

template <class T, class Index>
Array<T> product(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets, const Array<T>& b,
                 int n_threads) {
  const Rows<const T> right = rows_of(b);
  require(right.cols > 0, "b: expected one column or more");
  const SparseMatrix<T, Index> a = sparse_matrix(values, indices, offsets, right.rows);
  Array<T> y({a.rows, right.cols});
  const Rows<T> out{y.mutable_data(), a.rows, right.cols, right.cols};
  Outcome outcome;
  {
    const py::gil_scoped_release unlocked;
    outcome = decomposition::sparse_product(a, right, out, n_threads, interrupted);
  }
  check(outcome);
  return y;
}

template <class T, class Index>
py::tuple transposed(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                     std::int64_t columns, int n_threads) {
  const SparseMatrix<T, Index> a = sparse_matrix(values, indices, offsets, columns);
  const std::int64_t stored = a.offsets[a.rows];
  Array<T> new_values(stored);
  Array<Index> new_indices(stored), new_offsets(columns + 1);
  T* const to_values = new_values.mutable_data();
  Index* const to_indices = new_indices.mutable_data();
  Index* const to_offsets = new_offsets.mutable_data();
  Outcome outcome;
  {
    const py::gil_scoped_release unlocked;
    outcome = decomposition::transpose(a, to_values, to_indices, to_offsets, n_threads);
  }
  check(outcome);
  return py::make_tuple(std::move(new_values), std::move(new_indices), std::move(new_offsets));
}

template <class T, class Index>
void bind_sparse_product_of(py::module_& module) {
  module.def("sparse_product", &product<T, Index>, py::arg("values").noconvert(), py::arg("indices").noconvert(),
             py::arg("offsets").noconvert(), py::arg("b").noconvert(), py::arg("n_threads") = 1,
             "The product of compressed sparse rows with the rows of b; csrc/decomposition/sparse_product.hpp has the "
             "contract.");
  module.def("sparse_transpose", &transposed<T, Index>, py::arg("values").noconvert(), py::arg("indices").noconvert(),
             py::arg("offsets").noconvert(), py::arg("columns"), py::arg("n_threads") = 1,
             "(values, indices, offsets) of the transpose, in rows with ascending columns.");
}

}  // namespace

void bind_sparse_product(py::module_& module) {
  bind_sparse_product_of<float, std::int32_t>(module);
  bind_sparse_product_of<float, std::int64_t>(module);
  bind_sparse_product_of<double, std::int32_t>(module);
  bind_sparse_product_of<double, std::int64_t>(module);
}

}  // namespace fastml
