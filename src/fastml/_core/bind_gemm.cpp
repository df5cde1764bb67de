#include "bindings.hpp"
#include "gemm/gemm.hpp"

namespace fastml {
namespace {

// Below this many multiply-adds other Python threads lose less by waiting than by the hand-over of the GIL.
constexpr std::int64_t kKeepGil = 1 << 20;

template <class T>
std::int64_t stride(const py::array& array, int axis) {
  if (array.strides(axis) % py::ssize_t(sizeof(T)) != 0) throw py::value_error("gemm: strides must be whole elements");
  return array.strides(axis) / py::ssize_t(sizeof(T));
}

// NumPy's number of the element type; -1 for elements in the other byte order.
int type_of(const py::array& array) {
  const py::dtype type = array.dtype();
  return type.byteorder() == '=' || type.byteorder() == '|' ? type.num() : -1;
}

void run(const GemmArguments<float>& arguments) { gemm_kernels().f32(arguments); }
void run(const GemmArguments<double>& arguments) { gemm_kernels().f64(arguments); }

template <class T>
void multiply(const py::array& a, const py::array& b, py::array& out, double alpha, double beta, int n_threads) {
  const GemmArguments<T> arguments{a.shape(0),
                                   b.shape(1),
                                   a.shape(1),
                                   T(alpha),
                                   static_cast<const T*>(a.data()),
                                   stride<T>(a, 0),
                                   stride<T>(a, 1),
                                   static_cast<const T*>(b.data()),
                                   stride<T>(b, 0),
                                   stride<T>(b, 1),
                                   T(beta),
                                   static_cast<T*>(out.mutable_data()),
                                   stride<T>(out, 0),
                                   stride<T>(out, 1),
                                   n_threads};
  if (arguments.m * arguments.n * arguments.k <= kKeepGil) return run(arguments);
  const py::gil_scoped_release unlocked;
  run(arguments);
}

// Checks are spelt out, not left to require(): its message would be put together on every call.
// One overload for both dtypes: with one each, a small f64 product would spend half its time on the refusal of the other.
py::array gemm(const py::array& a, const py::array& b, const py::object& given, double alpha, double beta,
               int n_threads) {
  if (a.ndim() != 2 || b.ndim() != 2) throw py::value_error("gemm: a and b must be 2-dimensional");
  if (b.shape(0) != a.shape(1)) {
    throw py::value_error("gemm: a has " + std::to_string(a.shape(1)) + " columns but b has " +
                          std::to_string(b.shape(0)) + " rows; they must be equal");
  }
  const int type = type_of(a);
  const bool single = type == py::dtype::num_of<float>();
  if ((!single && type != py::dtype::num_of<double>()) || type_of(b) != type) {
    throw py::type_error("gemm: a and b must both be float32 or both float64, in this machine's byte order");
  }
  py::array out;
  if (given.is_none()) {
    require(beta == 0, "gemm: beta needs an `out` to scale");
    out = py::array(a.dtype(), {a.shape(0), b.shape(1)});
  } else {
    if (!py::isinstance<py::array>(given)) throw py::type_error("gemm: out must be an array");
    out = py::reinterpret_borrow<py::array>(given);
    if (type_of(out) != type) throw py::type_error("gemm: out must have the dtype of a and b");
    if (out.ndim() != 2 || out.shape(0) != a.shape(0) || out.shape(1) != b.shape(1)) {
      throw py::value_error("gemm: out must be " + std::to_string(a.shape(0)) + " x " + std::to_string(b.shape(1)));
    }
  }
  single ? multiply<float>(a, b, out, alpha, beta, n_threads) : multiply<double>(a, b, out, alpha, beta, n_threads);
  return out;
}

}  // namespace

void bind_gemm(py::module_& module) {
  module.def(
      "gemm", &gemm, py::arg("a").noconvert(), py::arg("b").noconvert(), py::arg("out") = py::none(),
      py::arg("alpha") = 1.0, py::arg("beta") = 0.0, py::arg("n_threads") = 1,
      "alpha * a @ b + beta * out for float32 or float64 arrays of any strides, written to `out` (which must not\n"
      "overlap a or b) or to a new array.");
}

}  // namespace fastml
