#include "bindings.hpp"
#include "linear/vector_kernels.hpp"
#include "linear/wide_kernels.hpp"

namespace fastml {
namespace {

// An object, not a capsule: Python has a name for the type of capsules from 3.13 on, and stubs would need a package for it.
py::object capsule(const py::dtype& type, const char* function, const void* f32, const char* name_f32, const void* f64,
                   const char* name_f64) {
  if (type.equal(py::dtype::of<float>())) return py::capsule(f32, name_f32);
  require(type.equal(py::dtype::of<double>()), std::string(function) + ": expected float32 or float64");
  return py::capsule(f64, name_f64);
}

py::object vector_capsule(const py::dtype& type) {
  return capsule(type, "vector_kernels", &linear::vector_kernels<float>(), "fastml.vector_kernels.float32",
                 &linear::vector_kernels<double>(), "fastml.vector_kernels.float64");
}

py::object wide_capsule(const py::dtype& type) {
  return capsule(type, "wide_kernels", &linear::wide_kernels<float>(), "fastml.wide_kernels.float32",
                 &linear::wide_kernels<double>(), "fastml.wide_kernels.float64");
}

}  // namespace

void bind_vector_kernels(py::module_& module) {
  module.def("vector_kernels", &vector_capsule, py::arg("dtype"),
             "The vector kernels of a dtype at the level in use, for Cython solvers: a capsule around the table of\n"
             "csrc/linear/vector_kernels.hpp.");
  module.def("wide_kernels", &wide_capsule, py::arg("dtype"),
             "The same around the table of csrc/linear/wide_kernels.hpp, of rows of that dtype.");
}

}  // namespace fastml
