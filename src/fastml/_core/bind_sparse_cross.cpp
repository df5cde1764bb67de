#include "bindings.hpp"
#include "linear/sparse_cross.hpp"

namespace fastml {
namespace {

using linear::SparseCrossTask;

// Samples by their arrays, and what belongs to their rows.
template <class T, class Index>
SparseCrossTask<T, Index> task_of(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                                  std::int64_t features, const Array<T>& y, const std::optional<Array<T>>& weights,
                                  int n_threads) {
  require(offsets.size() > 1 && features > 0, "expected one row and column or more");
  require(values.size() == indices.size(), "values, indices: expected as many of both");
  require(y.ndim() == 2 && y.shape(0) == offsets.size() - 1, "y: expected a matrix with a row for each of x");
  const SparseCrossTask<T, Index> task{
      values.data(), indices.data(), offsets.data(), offsets.size() - 1,
      features,      y.data(),       y.shape(1),     optional_data(weights, offsets.size() - 1, "weights"),
      n_threads,     interrupted};
  require(linear::in_bounds(task, values.size()), "offsets or column indices out of range");
  return task;
}

template <class T, class Index>
py::tuple cross_products(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                         std::int64_t features, const Array<T>& y, const std::optional<Array<T>>& weights, bool center,
                         int n_threads) {
  const auto task = task_of(values, indices, offsets, features, y, weights, n_threads);
  Array<double> gram({features, features}), xy({task.targets, features}), x_mean(features), y_mean(task.targets);
  const linear::CrossProducts products{gram.mutable_data(), xy.mutable_data(), x_mean.mutable_data(),
                                       y_mean.mutable_data()};
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = linear::sparse_cross_products(task, center, products);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(gram), std::move(xy), std::move(x_mean), std::move(y_mean));
}

template <class T, class Index>
Array<double> normal_residual(const Array<T>& values, const Array<Index>& indices, const Array<Index>& offsets,
                              std::int64_t features, const Array<T>& y, const std::optional<Array<T>>& weights,
                              const Array<double>& x_mean, const Array<double>& y_mean, const Array<double>& coef,
                              int n_threads) {
  const auto task = task_of(values, indices, offsets, features, y, weights, n_threads);
  require(x_mean.size() == features && y_mean.size() == task.targets, "x_mean, y_mean: expected one a column");
  require(coef.size() == task.targets * features, "coef: expected a row for each target, of all features");
  Array<double> gradient({task.targets, features});
  const double* center[2] = {x_mean.data(), y_mean.data()};
  const double* from = coef.data();
  double* to = gradient.mutable_data();
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = linear::sparse_normal_residual(task, center[0], center[1], from, to);
  }
  raise_if(!finished);
  return gradient;
}

template <class T, class Index>
void bind_sparse_cross_of(py::module_& module) {
  module.def("sparse_cross_products", &cross_products<T, Index>, py::arg("values").noconvert(),
             py::arg("indices").noconvert(), py::arg("offsets").noconvert(), py::arg("features"),
             py::arg("y").noconvert(), py::arg("weights").noconvert() = py::none(), py::arg("center") = true,
             py::arg("n_threads") = 1, "cross_products() of CSR rows; csrc/linear/sparse_cross.hpp has the contract.");
  module.def("sparse_normal_residual", &normal_residual<T, Index>, py::arg("values").noconvert(),
             py::arg("indices").noconvert(), py::arg("offsets").noconvert(), py::arg("features"),
             py::arg("y").noconvert(), py::arg("weights").noconvert(), py::arg("x_mean").noconvert(),
             py::arg("y_mean").noconvert(), py::arg("coef").noconvert(), py::arg("n_threads") = 1,
             "normal_residual() of CSR rows.");
}

}  // namespace

void bind_sparse_cross(py::module_& module) {
  bind_sparse_cross_of<float, std::int32_t>(module);
  bind_sparse_cross_of<float, std::int64_t>(module);
  bind_sparse_cross_of<double, std::int32_t>(module);
  bind_sparse_cross_of<double, std::int64_t>(module);
}

}  // namespace fastml
