#include "bindings.hpp"
#include "linear/column_blocks.hpp"

namespace fastml {
namespace {

// An object, not a capsule, as in bind_vector_kernels.cpp.
py::object column_blocks(const py::dtype& type) {
  const FastmlColumnBlocks* blocks = &linear::column_blocks<double>();
  if (type.equal(py::dtype::of<float>())) {
    blocks = &linear::column_blocks<float>();
  } else {
    require(type.equal(py::dtype::of<double>()), "column_blocks: expected float32 or float64");
  }
  return py::capsule(blocks, "fastml.column_blocks");
}

template <class T>
py::tuple column_moments(const py::array_t<T>& x, const Array<double>& target, bool center, int n_threads) {
  constexpr auto size = py::ssize_t(sizeof(T));
  require(x.ndim() == 2 && x.shape(0) > 0 && x.shape(1) > 0, "x: expected a matrix of one row and column or more");
  require(x.strides(0) == size || x.strides(1) == size, "x: expected rows or columns side by side");
  require(x.strides(0) % size == 0 && x.strides(1) % size == 0, "x: strides must be whole elements");
  require(target.size() == x.shape(0), "target: expected a value for each row");
  Array<double> mean(x.shape(1)), norm2(x.shape(1)), product(x.shape(1));
  const linear::ColumnMoments out{mean.mutable_data(), norm2.mutable_data(), product.mutable_data()};
  const double* y = target.data();
  {
    const py::gil_scoped_release unlocked;
    linear::column_moments(x.data(), x.strides(0) / size, x.strides(1) / size, x.shape(0), x.shape(1), y, center,
                           n_threads, out);
  }
  return py::make_tuple(std::move(mean), std::move(norm2), std::move(product));
}

template <class T>
void bind_column_blocks_of(py::module_& module) {
  module.def("column_moments", &column_moments<T>, py::arg("x").noconvert(), py::arg("target").noconvert(),
             py::arg("center") = true, py::arg("n_threads") = 1,
             "(means, sums of squares, products with a target that adds up to zero) of columns, about their means.");
}

}  // namespace

void bind_column_blocks(py::module_& module) {
  module.def("column_blocks", &column_blocks, py::arg("dtype"),
             "Passes over blocks of columns of a dtype, for Cython solvers: a capsule around the table of\n"
             "csrc/linear/column_blocks.hpp.");
  bind_column_blocks_of<float>(module);
  bind_column_blocks_of<double>(module);
}

}  // namespace fastml
