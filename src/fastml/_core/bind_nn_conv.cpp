#include <array>

#include "activation_names.hpp"
#include "bindings.hpp"
#include "image_sizes.hpp"
#include "nn/conv.hpp"
#include "nn/swap_axes.hpp"
#include "pooled_array.hpp"

namespace fastml {
namespace {

using nn::Conv;

// Top, bottom, left and right.
using Margins = std::array<std::int64_t, 4>;

Conv conv_of(std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t in_channels,
             std::int64_t out_channels, const Pair& kernel, const Pair& stride, const Pair& dilation,
             const Margins& margins, std::int64_t groups) {
  const Conv conv{batch,     height,      width,       in_channels, out_channels, kernel[0],  kernel[1],  stride[0],
                  stride[1], dilation[0], dilation[1], margins[0],  margins[1],   margins[2], margins[3], groups};
  const char* fault = nn::fault_of(conv);
  require(fault == nullptr, std::string("convolution: ") + (fault == nullptr ? "" : fault));
  return conv;
}

template <class T>
Conv conv_of(const Array<T>& x, const Array<T>& weight, const Pair& stride, const Pair& dilation,
             const Margins& margins, std::int64_t groups) {
  require(x.ndim() == 4 && weight.ndim() == 4, "convolution: expected images and weights of 4 dimensions");
  const Conv conv = conv_of(x.shape(0), x.shape(1), x.shape(2), x.shape(3), weight.shape(0),
                            {weight.shape(2), weight.shape(3)}, stride, dilation, margins, groups);
  require(weight.shape(1) == conv.group_in(), "convolution: x and weight have unequal numbers of channels");
  return conv;
}

template <class T>
void require_results(const Conv& conv, const Array<T>& dy) {
  require(dy.ndim() == 4 && dy.shape(0) == conv.batch && dy.shape(1) == conv.out_height() &&
              dy.shape(2) == conv.out_width() && dy.shape(3) == conv.out_channels,
          "convolution: dy has another shape than the result");
}

template <class T>
Array<T> forward(const Array<T>& x, const Array<T>& weight, const std::optional<Array<T>>& bias,
                 const std::string& kind, T parameter, const Pair& stride, const Pair& dilation, const Margins& margins,
                 std::int64_t groups, int n_threads, const std::optional<Array<T>>& more) {
  const Conv conv = conv_of(x, weight, stride, dilation, margins, groups);
  nn::Epilogue<T> epilogue{optional_data(bias, conv.out_channels, "bias"), nullptr, activation_of(kind), parameter};
  if (more) {
    require_results(conv, *more);
    epilogue.more = more->data();
  }
  Array<T> y = pooled_array<T>({conv.batch, conv.out_height(), conv.out_width(), conv.out_channels});
  T* to = y.mutable_data();
  const T *from = x.data(), *weights = weight.data();
  const py::gil_scoped_release unlocked;
  nn::conv_forward(conv, from, weights, epilogue, to, n_threads);
  return y;
}

template <class T>
Array<T> backward_input(const Array<T>& dy, const Array<T>& weight, const Pair& size, const Pair& stride,
                        const Pair& dilation, const Margins& margins, std::int64_t groups,
                        const std::optional<Array<T>>& bias, const std::string& kind, T parameter, int n_threads) {
  require(dy.ndim() == 4 && weight.ndim() == 4, "convolution: expected images and weights of 4 dimensions");
  const Conv conv = conv_of(dy.shape(0), size[0], size[1], weight.shape(1) * groups, weight.shape(0),
                            {weight.shape(2), weight.shape(3)}, stride, dilation, margins, groups);
  require_results(conv, dy);
  const nn::Epilogue<T> epilogue{optional_data(bias, conv.in_channels, "bias"), nullptr, activation_of(kind),
                                 parameter};
  Array<T> dx = pooled_array<T>({conv.batch, conv.height, conv.width, conv.in_channels});
  T* to = dx.mutable_data();
  const T *from = dy.data(), *weights = weight.data();
  const py::gil_scoped_release unlocked;
  nn::conv_backward_input(conv, from, weights, epilogue, to, n_threads);
  return dx;
}

template <class T>
void backward_weight(const Array<T>& x, const Array<T>& dy, Array<T> dweight, const Pair& stride, const Pair& dilation,
                     const Margins& margins, std::int64_t groups, int n_threads) {
  const Conv conv = conv_of(x, dweight, stride, dilation, margins, groups);
  require_results(conv, dy);
  T* to = dweight.mutable_data();
  const T *images = x.data(), *gradient = dy.data();
  const py::gil_scoped_release unlocked;
  nn::conv_backward_weight(conv, images, gradient, to, n_threads);
}

template <class T>
Array<T> swap_axes(const Array<T>& x, int n_threads) {
  require(x.ndim() == 3, "expected stacked matrices");
  const std::int64_t count = x.shape(0), rows = x.shape(1), cols = x.shape(2);
  Array<T> to = pooled_array<T>({count, cols, rows});
  T* swapped = to.mutable_data();
  const T* from = x.data();
  const py::gil_scoped_release unlocked;
  nn::swap_axes(count, rows, cols, from, swapped, n_threads);
  return to;
}

template <class T>
void bind_swap_axes(py::module_& module) {
  module.def("nn_swap_axes", swap_axes<T>, py::arg("x").noconvert(), py::arg("n_threads") = 1,
             "Stacked matrices, each transposed.");
}

template <class T>
void bind_type(py::module_& module) {
  module.def("nn_conv", forward<T>, py::arg("x").noconvert(), py::arg("weight").noconvert(),
             py::arg("bias").noconvert(), py::arg("kind"), py::arg("parameter"), py::arg("stride"), py::arg("dilation"),
             py::arg("margins"), py::arg("groups") = 1, py::arg("n_threads") = 1,
             py::arg("more").noconvert() = py::none(),
             "activation(convolution(x, weight) + bias + more) of NHWC images; csrc/nn/conv.hpp has the contract.");
  module.def("nn_conv_backward_input", backward_input<T>, py::arg("dy").noconvert(), py::arg("weight").noconvert(),
             py::arg("size"), py::arg("stride"), py::arg("dilation"), py::arg("margins"), py::arg("groups") = 1,
             py::arg("bias").noconvert() = py::none(), py::arg("kind") = "identity", py::arg("parameter") = T(0),
             py::arg("n_threads") = 1,
             "The derivative by images of so many rows and columns; plus a bias, through an activation.");
  module.def("nn_conv_backward_weight", backward_weight<T>, py::arg("x").noconvert(), py::arg("dy").noconvert(),
             py::arg("dweight").noconvert(), py::arg("stride"), py::arg("dilation"), py::arg("margins"),
             py::arg("groups") = 1, py::arg("n_threads") = 1, "Writes the derivative by the weights.");
}

}  // namespace

void bind_nn_conv(py::module_& module) {
  bind_type<float>(module);
  bind_type<double>(module);
  bind_swap_axes<float>(module);
  bind_swap_axes<double>(module);
  bind_swap_axes<std::uint8_t>(module);
}

}  // namespace fastml
