#include <optional>

#include "bindings.hpp"
#include "gemm/gemm.hpp"

namespace fastml {
namespace {

// Any strides that are whole elements; NumPy's may be negative, or of a field within a record.
template <class T>
using Strided = py::array_t<T, 0>;

template <class T>
std::int64_t stride(const py::array& array, int axis) {
  require(array.strides(axis) % py::ssize_t(sizeof(T)) == 0, "strides must be whole elements");
  return array.strides(axis) / py::ssize_t(sizeof(T));
}

template <class T>
void run(const GemmArguments<T>& arguments);
template <>
void run(const GemmArguments<float>& arguments) {
  gemm_kernels().f32(arguments);
}
template <>
void run(const GemmArguments<double>& arguments) {
  gemm_kernels().f64(arguments);
}

template <class T>
void bind(py::module_& module) {
  module.def(
      "gemm",
      [](const Strided<T>& a, const Strided<T>& b, std::optional<Strided<T>> out, T alpha, T beta, int n_threads) {
        require(a.ndim() == 2 && b.ndim() == 2, "gemm: a and b must be 2-dimensional");
        const py::ssize_t m = a.shape(0), k = a.shape(1), n = b.shape(1);
        require(b.shape(0) == k, "gemm: a has " + std::to_string(k) + " columns but b has " +
                                     std::to_string(b.shape(0)) + " rows; they must be equal");
        if (!out) {
          require(beta == T(0), "gemm: beta needs an `out` to scale");
          out = Strided<T>({m, n});
        }
        require(out->ndim() == 2 && out->shape(0) == m && out->shape(1) == n,
                "gemm: out must be " + std::to_string(m) + " x " + std::to_string(n));
        const GemmArguments<T> arguments{m,
                                         n,
                                         k,
                                         alpha,
                                         a.data(),
                                         stride<T>(a, 0),
                                         stride<T>(a, 1),
                                         b.data(),
                                         stride<T>(b, 0),
                                         stride<T>(b, 1),
                                         beta,
                                         out->mutable_data(),
                                         stride<T>(*out, 0),
                                         stride<T>(*out, 1),
                                         n_threads};
        {
          const py::gil_scoped_release unlocked;
          run(arguments);
        }
        return *out;
      },
      py::arg("a").noconvert(), py::arg("b").noconvert(), py::arg("out").noconvert() = py::none(),
      py::arg("alpha") = T(1), py::arg("beta") = T(0), py::arg("n_threads") = 1,
      "alpha * a @ b + beta * out, written to `out` (which must not overlap a or b) or to a new array.");
}

}  // namespace

void bind_gemm(py::module_& module) {
  bind<float>(module);
  bind<double>(module);
}

}  // namespace fastml
