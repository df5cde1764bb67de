#include "bindings.hpp"
#include "nn/channel_norm.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/group_norm.hpp"
#include "nn/layer_norm.hpp"
#include "pooled_array.hpp"

namespace fastml {
namespace {

using Indices = Array<std::int64_t>;

template <class T>
const T* vector_of(const Array<T>& array, py::ssize_t size, const char* name) {
  require(array.ndim() == 1 && array.size() == size,
          std::string(name) + ": expected " + std::to_string(size) + " elements, got " + std::to_string(array.size()));
  return array.data();
}

// An array of any dimension as rows of so many values: its last axes lie in them.
template <class T>
Rows<const T> rows_of_length(const Array<T>& array, py::ssize_t cols) {
  require(cols > 0 && array.size() % cols == 0, "expected rows of " + std::to_string(cols) + " values");
  return {array.data(), array.size() / cols, cols, cols};
}

template <class T>
py::tuple layer_norm(const Array<T>& x, const Array<T>& weight, const Array<T>& bias, T eps, int n_threads) {
  const Rows<const T> rows = rows_of_length(x, weight.size());
  const T *w = vector_of(weight, rows.cols, "weight"), *b = vector_of(bias, rows.cols, "bias");
  Array<T> y = pooled_like(x), mean(rows.rows), inverse(rows.rows);
  T *to_y = y.mutable_data(), *to_mean = mean.mutable_data(), *to_inverse = inverse.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    nn::layer_norm(rows.rows, rows.cols, rows.data, w, b, eps, to_y, to_mean, to_inverse, n_threads);
  }
  return py::make_tuple(y, mean, inverse);
}

template <class T>
py::tuple layer_norm_backward(const Array<T>& x, const Array<T>& mean, const Array<T>& inverse, const Array<T>& weight,
                              const Array<T>& dy, bool with_dx, int n_threads) {
  const Rows<const T> rows = rows_of_length(x, weight.size());
  require_equal_shapes(x, dy);
  const T *m = vector_of(mean, rows.rows, "mean"), *s = vector_of(inverse, rows.rows, "inverse");
  const T *w = vector_of(weight, rows.cols, "weight"), *gradient = dy.data();
  Array<T> dweight(rows.cols), dbias(rows.cols);
  T *to_weight = dweight.mutable_data(), *to_bias = dbias.mutable_data(), *to_x = nullptr;
  py::object dx = py::none();
  if (with_dx) {
    Array<T> array = pooled_like(x);
    to_x = array.mutable_data();
    dx = array;
  }
  {
    const py::gil_scoped_release unlocked;
    nn::layer_norm_backward(rows.rows, rows.cols, rows.data, m, s, w, gradient, to_x, to_weight, to_bias, n_threads);
  }
  return py::make_tuple(dx, dweight, dbias);
}

// Memory for a result that may not be wanted: its data, or null.
template <class T>
T* wanted(bool is_wanted, const Array<T>& like, py::object& to) {
  if (!is_wanted) return nullptr;
  Array<T> array = pooled_like(like);
  to = array;
  return array.mutable_data();
}

template <class T>
py::tuple batch_norm(const Array<T>& x, const Array<T>& weight, const Array<T>& bias,
                     const std::optional<Array<T>>& mean, const std::optional<Array<T>>& variance, T eps,
                     const std::optional<Array<T>>& more, bool relu, int n_threads) {
  const Rows<const T> rows = rows_of_length(x, weight.size());
  const py::ssize_t n = rows.cols;
  require(mean.has_value() == variance.has_value(), "batch_norm: give mean and variance, or none of them");
  optional_data(mean, n, "mean");
  optional_data(variance, n, "variance");
  if (more) require_equal_shapes(x, *more);
  const T *w = vector_of(weight, n, "weight"), *b = vector_of(bias, n, "bias");
  const T* added = more ? more->data() : nullptr;
  const bool given = mean.has_value();
  Array<T> y = pooled_like(x), means = given ? *mean : Array<T>(n), variances = given ? *variance : Array<T>(n);
  Array<T> inverse(n);
  T *to_y = y.mutable_data(), *to_inverse = inverse.mutable_data();
  // Statistics that are given are only read.
  T *to_mean = const_cast<T*>(means.data()), *to_variance = const_cast<T*>(variances.data());
  {
    const py::gil_scoped_release unlocked;
    nn::batch_norm(rows.rows, n, rows.data, w, b, eps, given, added, relu, to_y, to_mean, to_variance, to_inverse,
                   n_threads);
  }
  return py::make_tuple(y, means, variances, inverse);
}

template <class T>
py::tuple batch_norm_backward(const Array<T>& x, const std::optional<Array<T>>& y, const std::optional<Array<T>>& bias,
                              const Array<T>& mean, const Array<T>& inverse, const Array<T>& weight, const Array<T>& dy,
                              bool given, bool with_dx, bool with_dmore, int n_threads) {
  const Rows<const T> rows = rows_of_length(x, weight.size());
  const py::ssize_t n = rows.cols;
  require_equal_shapes(x, dy);
  if (y) require_equal_shapes(x, *y);
  const T *m = vector_of(mean, n, "mean"), *s = vector_of(inverse, n, "inverse"), *w = vector_of(weight, n, "weight");
  const T *result = y ? y->data() : nullptr, *gradient = dy.data(), *shift = optional_data(bias, n, "bias");
  Array<T> dweight(n), dbias(n);
  T *to_weight = dweight.mutable_data(), *to_bias = dbias.mutable_data();
  py::object dx = py::none(), dmore = py::none();
  T *to_x = wanted(with_dx, x, dx), *to_more = wanted(with_dmore, x, dmore);
  {
    const py::gil_scoped_release unlocked;
    nn::batch_norm_backward(rows.rows, n, rows.data, result, shift, m, s, w, given, gradient, to_x, to_more, to_weight,
                            to_bias, n_threads);
  }
  return py::make_tuple(dx, dweight, dbias, dmore);
}

template <class T>
nn::Groups groups_of(const Array<T>& x, std::int64_t groups) {
  require(x.ndim() == 3 && groups > 0 && x.shape(2) % groups == 0,
          "group_norm: expected samples x positions x channels, a multiple of the groups");
  return {x.shape(0), x.shape(1), x.shape(2), groups};
}

template <class T>
py::tuple group_norm(const Array<T>& x, std::int64_t groups, const Array<T>& weight, const Array<T>& bias, T eps,
                     int n_threads) {
  const nn::Groups shape = groups_of(x, groups);
  const T *w = vector_of(weight, shape.channels, "weight"), *b = vector_of(bias, shape.channels, "bias");
  const T* from = x.data();
  Array<T> y = pooled_like(x), mean({shape.samples, groups}), inverse({shape.samples, groups});
  T *to_y = y.mutable_data(), *to_mean = mean.mutable_data(), *to_inverse = inverse.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    nn::group_norm(shape, from, w, b, eps, to_y, to_mean, to_inverse, n_threads);
  }
  return py::make_tuple(y, mean, inverse);
}

template <class T>
py::tuple group_norm_backward(const Array<T>& x, const Array<T>& mean, const Array<T>& inverse, const Array<T>& weight,
                              const Array<T>& dy, bool with_dx, int n_threads) {
  require(mean.ndim() == 2, "group_norm: expected a mean for each sample and group");
  const nn::Groups shape = groups_of(x, mean.shape(1));
  require_equal_shapes(x, dy);
  require_equal_shapes(mean, inverse);
  require(mean.shape(0) == shape.samples, "group_norm: expected a mean for each sample and group");
  const T *w = vector_of(weight, shape.channels, "weight"), *from = x.data(), *gradient = dy.data();
  const T *m = mean.data(), *s = inverse.data();
  Array<T> dweight(shape.channels), dbias(shape.channels);
  T *to_weight = dweight.mutable_data(), *to_bias = dbias.mutable_data(), *to_x = nullptr;
  py::object dx = py::none();
  if (with_dx) {
    Array<T> array = pooled_like(x);
    to_x = array.mutable_data();
    dx = array;
  }
  {
    const py::gil_scoped_release unlocked;
    nn::group_norm_backward(shape, from, m, s, w, gradient, to_x, to_weight, to_bias, n_threads);
  }
  return py::make_tuple(dx, dweight, dbias);
}

template <class T>
Array<T> dropout(const Array<T>& x, double p, std::uint64_t seed, int n_threads) {
  require(p >= 0 && p <= 1, "dropout: p must be a probability");
  Array<T> y = pooled_like(x);
  T* to = y.mutable_data();
  const T* from = x.data();
  const py::ssize_t size = x.size();
  const py::gil_scoped_release unlocked;
  nn::dropout(size, p, seed, from, to, n_threads);
  return y;
}

template <class T>
Array<T> embedding(const Array<T>& table, const Indices& index, int n_threads) {
  const Rows<const T> rows = rows_of(table);
  require(index.ndim() == 1 && are_indices(index.data(), index.size(), rows.rows),
          "embedding: expected a vector of indices in [0, " + std::to_string(rows.rows) + ")");
  Array<T> y({index.size(), rows.cols});
  T* to = y.mutable_data();
  const std::int64_t* at = index.data();
  const py::ssize_t count = index.size();
  const py::gil_scoped_release unlocked;
  nn::embedding(count, rows.cols, rows.data, at, to, n_threads);
  return y;
}

template <class T>
void embedding_backward(const Array<T>& dy, const Indices& index, std::int64_t skipped, bool clear, Array<T> gradient,
                        int n_threads) {
  const Rows<const T> rows = rows_of(dy);
  const Rows<const T> table = rows_of(gradient);
  require(index.ndim() == 1 && index.size() == rows.rows && table.cols == rows.cols,
          "embedding_backward: expected a row of dy for each index, as wide as the table");
  require(are_indices(index.data(), index.size(), table.rows), "embedding_backward: an index is out of range");
  T* to = gradient.mutable_data();
  const std::int64_t* at = index.data();
  const py::gil_scoped_release unlocked;
  nn::embedding_backward(rows.rows, table.rows, rows.cols, rows.data, at, skipped, clear, to, n_threads);
}

template <class T>
void bind_nn_norms_of(py::module_& module) {
  using py::arg;
  module.def("nn_layer_norm", &layer_norm<T>, arg("x").noconvert(), arg("weight").noconvert(), arg("bias").noconvert(),
             arg("eps"), arg("n_threads"), "(y, mean, inverse) of the rows of x, which are as long as the weight.");
  module.def("nn_layer_norm_backward", &layer_norm_backward<T>, arg("x").noconvert(), arg("mean").noconvert(),
             arg("inverse").noconvert(), arg("weight").noconvert(), arg("dy").noconvert(), arg("with_dx"),
             arg("n_threads"), "(dx or None, dweight, dbias).");
  module.def("nn_batch_norm", &batch_norm<T>, arg("x").noconvert(), arg("weight").noconvert(), arg("bias").noconvert(),
             arg("mean").noconvert().none(true), arg("variance").noconvert().none(true), arg("eps"),
             arg("more").noconvert().none(true), arg("relu"), arg("n_threads"),
             "(y, mean, variance, inverse) of the channels of x, its last axis. Mean and variance are those of x, or "
             "given. More is added to the result, and a ReLU taken of it.");
  module.def("nn_batch_norm_backward", &batch_norm_backward<T>, arg("x").noconvert(), arg("y").noconvert().none(true),
             arg("bias").noconvert().none(true), arg("mean").noconvert(), arg("inverse").noconvert(),
             arg("weight").noconvert(), arg("dy").noconvert(), arg("given"), arg("with_dx"), arg("with_dmore"),
             arg("n_threads"),
             "(dx or None, dweight, dbias, dmore or None). With a ReLU give its result y or, where nothing was added "
             "before it, the bias. With `given`, mean and "
             "variance do not depend on x.");
  module.def("nn_group_norm", &group_norm<T>, arg("x").noconvert(), arg("groups"), arg("weight").noconvert(),
             arg("bias").noconvert(), arg("eps"), arg("n_threads"),
             "(y, mean, inverse) of x, samples x positions x channels: moments of each sample's groups of channels.");
  module.def("nn_group_norm_backward", &group_norm_backward<T>, arg("x").noconvert(), arg("mean").noconvert(),
             arg("inverse").noconvert(), arg("weight").noconvert(), arg("dy").noconvert(), arg("with_dx"),
             arg("n_threads"), "(dx or None, dweight, dbias).");
  module.def("nn_dropout", &dropout<T>, arg("x").noconvert(), arg("p"), arg("seed"), arg("n_threads"),
             "x with elements set to 0 with probability p, and the others divided by 1 - p.");
  module.def("nn_embedding", &embedding<T>, arg("table").noconvert(), arg("index").noconvert(), arg("n_threads"),
             "table[index].");
  module.def("nn_embedding_backward", &embedding_backward<T>, arg("dy").noconvert(), arg("index").noconvert(),
             arg("skipped"), arg("clear"), arg("gradient").noconvert(), arg("n_threads"),
             "gradient[index] += dy, one after the other, but for the row `skipped`; of zeros if `clear`.");
}

}  // namespace

void bind_nn_norms(py::module_& module) {
  bind_nn_norms_of<float>(module);
  bind_nn_norms_of<double>(module);
}

}  // namespace fastml
