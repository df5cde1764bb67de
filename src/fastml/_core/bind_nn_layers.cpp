#include "activation_names.hpp"
#include "bindings.hpp"
#include "nn/activation.hpp"
#include "nn/add.hpp"
#include "nn/softmax.hpp"
#include "pooled_array.hpp"

namespace fastml {
namespace {

using nn::Activation;

// Rows of an array of any dimension: its last axis lies in them.
template <class T>
Rows<const T> last_axis(const Array<T>& array) {
  require(array.ndim() >= 1, "expected at least one dimension");
  const py::ssize_t cols = array.shape(array.ndim() - 1);
  return {array.data(), cols == 0 ? 0 : array.size() / cols, cols, cols};
}

template <class T>
py::tuple linear(const Array<T>& x, const Array<T>& weight, const std::optional<Array<T>>& bias,
                 const std::string& kind, T parameter, bool keep, int n_threads) {
  const Rows<const T> rows = rows_of(x), weights = rows_of(weight);
  require(rows.cols == weights.cols, "linear: x and weight have unequal numbers of columns");
  const T* shift = optional_data(bias, weights.rows, "bias");
  const Activation activation = activation_of(kind);
  Array<T> y = pooled_array<T>({rows.rows, weights.rows});
  Array<T> z = keep ? pooled_array<T>({rows.rows, weights.rows}) : y;
  T *to_z = z.mutable_data(), *to_y = y.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    nn::linear_forward(activation, parameter, rows.rows, rows.cols, weights.rows, rows.data, weights.data, shift, to_z,
                       to_y, n_threads);
  }
  return py::make_tuple(z, y);
}

template <class T>
Array<T> activate(const Array<T>& x, const std::string& kind, T parameter, int n_threads) {
  const Activation activation = activation_of(kind);
  Array<T> y = pooled_like(x);
  T* to = y.mutable_data();
  const py::ssize_t size = x.size();
  // Without a bias x is only read.
  T* from = const_cast<T*>(x.data());
  const py::gil_scoped_release unlocked;
  nn::activate<T>(activation, parameter, size, 1, nullptr, from, to, n_threads);
  return y;
}

template <class T>
Array<T> add(const Array<T>& x, const Array<T>& y, int n_threads) {
  require_equal_shapes(x, y);
  Array<T> sum = pooled_like(x);
  T* to = sum.mutable_data();
  const T *a = x.data(), *b = y.data();
  const py::ssize_t size = x.size();
  const py::gil_scoped_release unlocked;
  nn::add<T>(size, a, b, to, n_threads);
  return sum;
}

template <class T>
py::tuple activate_backward(const Array<T>& saved, const Array<T>& dy, const std::string& kind, T parameter,
                            bool with_sums, int n_threads) {
  require_equal_shapes(saved, dy);
  const Activation activation = activation_of(kind);
  const py::ssize_t cols = with_sums ? last_axis(dy).cols : 1;
  const py::ssize_t rows = cols == 0 ? 0 : dy.size() / cols;
  Array<T> dx = activation == Activation::identity ? dy : pooled_like(dy);
  py::object sums = py::none();
  T* to_sums = nullptr;
  if (with_sums) {
    Array<T> array(cols);
    to_sums = array.mutable_data();
    sums = array;
  }
  // The identity's dx is dy, and not written.
  T* to = const_cast<T*>(dx.data());
  const T *from = saved.data(), *gradient = dy.data();
  {
    const py::gil_scoped_release unlocked;
    nn::activate_backward(activation, parameter, rows, cols, from, from, gradient, to, to_sums, n_threads);
  }
  return py::make_tuple(dx, sums);
}

template <class T>
Array<T> softmax(const Array<T>& x, bool logarithm, int n_threads) {
  const Rows<const T> rows = last_axis(x);
  Array<T> y = pooled_like(x);
  T* to = y.mutable_data();
  const py::gil_scoped_release unlocked;
  nn::softmax(rows.rows, rows.cols, rows.data, logarithm, to, n_threads);
  return y;
}

template <class T>
Array<T> softmax_backward(const Array<T>& y, const Array<T>& dy, bool logarithm, int n_threads) {
  require_equal_shapes(y, dy);
  const Rows<const T> rows = last_axis(y);
  Array<T> dx = pooled_like(y);
  T* to = dx.mutable_data();
  const T* gradient = dy.data();
  const py::gil_scoped_release unlocked;
  nn::softmax_backward(rows.rows, rows.cols, rows.data, gradient, logarithm, to, n_threads);
  return dx;
}

template <class T>
void bind_nn_layers_of(py::module_& module) {
  module.def("nn_linear", &linear<T>, py::arg("x").noconvert(), py::arg("weight").noconvert(),
             py::arg("bias").noconvert().none(true), py::arg("kind"), py::arg("parameter"), py::arg("keep"),
             py::arg("n_threads"),
             "(z, y) of a layer: z = x @ weight.T + bias, y = activation(z). Without `keep` both are y.");
  module.def("nn_add", &add<T>, py::arg("x").noconvert(), py::arg("y").noconvert(), py::arg("n_threads"), "x + y.");
  module.def("nn_activate", &activate<T>, py::arg("x").noconvert(), py::arg("kind"), py::arg("parameter"),
             py::arg("n_threads"), "activation(x).");
  module.def("nn_activate_backward", &activate_backward<T>, py::arg("saved").noconvert(), py::arg("dy").noconvert(),
             py::arg("kind"), py::arg("parameter"), py::arg("with_sums"), py::arg("n_threads"),
             "(dy * activation'(x), its sums over all but the last axis or None). `saved` is y for relu, leaky_relu,\n"
             "elu, sigmoid and tanh, x for all others. dy itself for the identity.");
  module.def("nn_softmax", &softmax<T>, py::arg("x").noconvert(), py::arg("logarithm"), py::arg("n_threads"),
             "Softmax over the last axis, or its logarithm.");
  module.def("nn_softmax_backward", &softmax_backward<T>, py::arg("y").noconvert(), py::arg("dy").noconvert(),
             py::arg("logarithm"), py::arg("n_threads"), "The gradient with respect to the argument of nn_softmax.");
}

}  // namespace

void bind_nn_layers(py::module_& module) {
  bind_nn_layers_of<float>(module);
  bind_nn_layers_of<double>(module);
}

}  // namespace fastml
