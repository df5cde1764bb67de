// The extension module fastml._core: a list of the bindings, nothing else.
#include <pybind11/pybind11.h>

PYBIND11_MODULE(_core, module) {
    module.doc() = "Bindings of fastml's kernels.";
}
