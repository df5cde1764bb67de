// What the bindings share: arrays to views, the stop check, the list of families.
//
// A binding converts arrays, releases the GIL, picks the dtype and calls one kernel. Estimators validate; what is checked
// here is what would otherwise read or write out of bounds.
//
// Several of these files are one translation unit (cmake/PythonExtensions.cmake) and share its anonymous namespace: a
// name stands in one of the files, or in a header.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml {

namespace py = pybind11;

void bind_runtime(py::module_& module);
void bind_stats(py::module_& module);
void bind_gemm(py::module_& module);
void bind_kmeans(py::module_& module);
void bind_neighbors(py::module_& module);
void bind_tree(py::module_& module);
void bind_forest(py::module_& module);
void bind_kd_tree(py::module_& module);
void bind_votes(py::module_& module);
void bind_dbscan(py::module_& module);
void bind_column_blocks(py::module_& module);
void bind_vector_kernels(py::module_& module);
void bind_cross_products(py::module_& module);
void bind_sparse_cross(py::module_& module);
void bind_sparse_product(py::module_& module);
void bind_logistic(py::module_& module);
void bind_squared_loss(py::module_& module);
void bind_svm_decision(py::module_& module);
void bind_nn_augment(py::module_& module);
void bind_nn_batches(py::module_& module);
void bind_nn_conv(py::module_& module);
void bind_nn_layers(py::module_& module);
void bind_nn_losses(py::module_& module);
void bind_nn_norms(py::module_& module);
void bind_nn_optimizers(py::module_& module);
void bind_nn_pooling(py::module_& module);
void bind_nn_resampling(py::module_& module);
void bind_nn_dense(py::module_& module);
void bind_svm_train(py::module_& module);
void bind_bayes(py::module_& module);
void bind_discrete_bayes(py::module_& module);

// Whether a Python signal handler has raised (Ctrl-C). Call without the GIL, from the thread that called into the module.
bool interrupted();

// Raises the exception that interrupted() found.
inline void raise_if(bool was_interrupted) {
  if (was_interrupted) throw py::error_already_set();
}

// C-contiguous array of exactly T; anything else is an error of the caller, not converted.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

inline void require(bool condition, const std::string& message) {
  if (!condition) throw py::value_error(message);
}

template <class T>
Rows<const T> rows_of(const Array<T>& array) {
  require(array.ndim() == 2, "expected a 2-dimensional array, got " + std::to_string(array.ndim()) + " dimension(s)");
  return {array.data(), array.shape(0), array.shape(1), array.shape(1)};
}

template <class T>
Array<T> empty_like(const Array<T>& array) {
  return Array<T>(py::array::ShapeContainer(array.shape(), array.shape() + array.ndim()));
}

template <class T>
void require_equal_shapes(const Array<T>& a, const Array<T>& b) {
  require(a.ndim() == b.ndim() && std::equal(a.shape(), a.shape() + a.ndim(), b.shape()),
          "expected two arrays of one shape");
}

template <class T>
py::array_t<T> copy_of(const std::vector<T>& values) {
  return py::array_t<T>(py::ssize_t(values.size()), values.data());
}

// Data of an optional one-dimensional array of `size` elements; nullptr for None.
template <class T>
const T* optional_data(const std::optional<Array<T>>& array, py::ssize_t size, const char* name) {
  if (!array) return nullptr;
  require(array->ndim() == 1 && array->shape(0) == size,
          std::string(name) + ": expected " + std::to_string(size) + " elements, got " + std::to_string(array->size()));
  return array->data();
}

}  // namespace fastml
