#include "bindings.hpp"
#include "linear/vector_kernels.hpp"

namespace fastml {
namespace {

template <class T>
py::capsule capsule_of(const char* name) {
  return py::capsule(&linear::vector_kernels<T>(), name);
}

// An object, not a capsule: Python has a name for the type of capsules from 3.13 on, and stubs would need a package for it.
py::object capsule(const py::dtype& type) {
  if (type.equal(py::dtype::of<float>())) return capsule_of<float>("fastml.vector_kernels.float32");
  require(type.equal(py::dtype::of<double>()), "vector_kernels: expected float32 or float64");
  return capsule_of<double>("fastml.vector_kernels.float64");
}

}  // namespace

void bind_vector_kernels(py::module_& module) {
  module.def("vector_kernels", &capsule, py::arg("dtype"),
             "The vector kernels of a dtype at the level in use, for Cython solvers: a capsule around the table of\n"
             "csrc/linear/vector_kernels.hpp.");
}

}  // namespace fastml
