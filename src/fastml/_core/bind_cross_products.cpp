#include "bindings.hpp"
#include "linear/cross_products.hpp"

namespace fastml {
namespace {

using linear::CrossTask;

// Samples with any strides, and what belongs to their rows.
template <class T>
CrossTask<T> task_of(const py::array_t<T>& x, const Array<T>& y, const std::optional<Array<T>>& weights,
                     int n_threads) {
  constexpr auto size = py::ssize_t(sizeof(T));
  require(x.ndim() == 2 && x.shape(0) > 0 && x.shape(1) > 0, "x: expected a matrix of one row and column or more");
  require(x.strides(0) % size == 0 && x.strides(1) % size == 0, "x: strides must be whole elements");
  require(y.ndim() == 2 && y.shape(0) == x.shape(0), "y: expected a matrix with a row for each of x");
  return {x.data(),
          x.strides(0) / size,
          x.strides(1) / size,
          x.shape(0),
          x.shape(1),
          y.data(),
          y.shape(1),
          optional_data(weights, x.shape(0), "weights"),
          n_threads,
          interrupted};
}

template <class T>
py::tuple cross_products(const py::array_t<T>& x, const Array<T>& y, const std::optional<Array<T>>& weights,
                         bool center, int n_threads, bool widen) {
  const CrossTask<T> task = task_of(x, y, weights, n_threads);
  Array<double> gram({task.features, task.features}), xy({task.targets, task.features});
  Array<double> x_mean(task.features), y_mean(task.targets);
  const linear::CrossProducts products{gram.mutable_data(), xy.mutable_data(), x_mean.mutable_data(),
                                       y_mean.mutable_data()};
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = widen ? linear::cross_products<T, double>(task, center, products)
                     : linear::cross_products<T, T>(task, center, products);
  }
  raise_if(!finished);
  return py::make_tuple(std::move(gram), std::move(xy), std::move(x_mean), std::move(y_mean));
}

template <class T>
Array<double> normal_residual(const py::array_t<T>& x, const Array<T>& y, const std::optional<Array<T>>& weights,
                              const Array<double>& x_mean, const Array<double>& y_mean, const Array<double>& coef,
                              int n_threads) {
  const CrossTask<T> task = task_of(x, y, weights, n_threads);
  require(x_mean.size() == task.features && y_mean.size() == task.targets, "x_mean, y_mean: expected one a column");
  require(coef.size() == task.targets * task.features, "coef: expected a row for each target, of all features");
  Array<double> gradient({task.targets, task.features});
  const double* center[2] = {x_mean.data(), y_mean.data()};
  const double* from = coef.data();
  double* to = gradient.mutable_data();
  bool finished;
  {
    const py::gil_scoped_release unlocked;
    finished = linear::normal_residual(task, center[0], center[1], from, to);
  }
  raise_if(!finished);
  return gradient;
}

template <class T>
void bind_cross_products_of(py::module_& module) {
  module.def("cross_products", &cross_products<T>, py::arg("x").noconvert(), py::arg("y").noconvert(),
             py::arg("weights").noconvert() = py::none(), py::arg("center") = true, py::arg("n_threads") = 1,
             py::arg("widen") = true,
             "(X'WX, Y'WX, means of X, means of Y), less the means if `center`; csrc/linear/cross_products.hpp has the "
             "contract.");
  module.def("normal_residual", &normal_residual<T>, py::arg("x").noconvert(), py::arg("y").noconvert(),
             py::arg("weights").noconvert(), py::arg("x_mean").noconvert(), py::arg("y_mean").noconvert(),
             py::arg("coef").noconvert(), py::arg("n_threads") = 1,
             "The gradient of half the sum of squares at `coef`, with the other sign, a row for each target.");
}

}  // namespace

void bind_cross_products(py::module_& module) {
  bind_cross_products_of<float>(module);
  bind_cross_products_of<double>(module);
}

}  // namespace fastml
