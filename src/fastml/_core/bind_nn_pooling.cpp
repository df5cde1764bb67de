#include <array>

#include "bindings.hpp"
#include "image_sizes.hpp"
#include "nn/max_pooling.hpp"
#include "pooled_array.hpp"

namespace fastml {
namespace {

using nn::Windows;

struct Plane {
  Windows down, across;

  Plane(const Pair& size, const Pair& out, const Pair& kernel, const Pair& stride, const Pair& padding,
        const Pair& dilation)
      : down(windows(0, size, out, kernel, stride, padding, dilation)),
        across(windows(1, size, out, kernel, stride, padding, dilation)) {
    require(kernel[0] < (1 << 15) && kernel[1] < (1 << 15),
            "max_pool: expected a window of fewer than 2^15 rows, columns");
  }
  Plane(const Pair& size, const Pair& out)
      : down(nn::adaptive_windows(size[0], out[0])), across(nn::adaptive_windows(size[1], out[1])) {
    require(size[0] > 0 && size[1] > 0, "adaptive_max_pool: expected images of some pixels");
  }

 private:
  static Windows windows(int axis, const Pair& size, const Pair& out, const Pair& kernel, const Pair& stride,
                         const Pair& padding, const Pair& dilation) {
    require(kernel[axis] > 0 && stride[axis] > 0 && dilation[axis] > 0 && padding[axis] >= 0 && out[axis] >= 0,
            "max_pool: expected positive kernel, stride and dilation");
    return nn::sliding_windows(size[axis], out[axis], kernel[axis], stride[axis], padding[axis], dilation[axis]);
  }
};

template <class T, class Place>
py::tuple pool_noted(const Array<T>& x, const Plane& plane, bool with_places, int n_threads) {
  const py::ssize_t batch = x.shape(0), channels = x.shape(3);
  const std::array<py::ssize_t, 4> shape{batch, plane.down.out(), plane.across.out(), channels};
  Array<T> y = pooled_array<T>(shape);
  py::object noted = py::none();
  Place* to_places = nullptr;
  if (with_places) {
    Array<Place> places = pooled_array<Place>(shape);
    to_places = places.mutable_data();
    noted = places;
  }
  T* to = y.mutable_data();
  const T* from = x.data();
  {
    const py::gil_scoped_release unlocked;
    nn::max_pool<T, Place>(batch, channels, plane.down, plane.across, from, to, to_places, n_threads);
  }
  return py::make_tuple(y, noted);
}

template <class T>
py::tuple pool(const Array<T>& x, const Plane& plane, bool with_places, int n_threads) {
  return nn::has_narrow_places(plane.down, plane.across)
             ? pool_noted<T, std::uint8_t>(x, plane, with_places, n_threads)
             : pool_noted<T, std::int32_t>(x, plane, with_places, n_threads);
}

template <class T, class Place>
Array<T> pool_backward(const Array<T>& dy, const Array<Place>& places, const Plane& plane, int n_threads) {
  require(dy.ndim() == places.ndim() && std::equal(dy.shape(), dy.shape() + dy.ndim(), places.shape()),
          "max_pool: expected as many places as results");
  const Pair out = size_of(dy);
  require(out[0] == plane.down.out() && out[1] == plane.across.out(), "max_pool: dy has another shape than the result");
  const py::ssize_t batch = dy.shape(0), channels = dy.shape(3);
  Array<T> dx = pooled_array<T>({batch, py::ssize_t(plane.down.in), py::ssize_t(plane.across.in), channels});
  T* to = dx.mutable_data();
  const T* from = dy.data();
  const Place* at = places.data();
  const py::gil_scoped_release unlocked;
  nn::max_pool_backward<T, Place>(batch, channels, plane.down, plane.across, from, at, to, n_threads);
  return dx;
}

template <class T>
py::tuple max_pool(const Array<T>& x, const Pair& out, const Pair& kernel, const Pair& stride, const Pair& padding,
                   const Pair& dilation, bool with_places, int n_threads) {
  return pool(x, Plane(size_of(x), out, kernel, stride, padding, dilation), with_places, n_threads);
}

template <class T, class Place>
Array<T> max_pool_backward(const Array<T>& dy, const Array<Place>& places, const Pair& size, const Pair& kernel,
                           const Pair& stride, const Pair& padding, const Pair& dilation, int n_threads) {
  return pool_backward(dy, places, Plane(size, size_of(dy), kernel, stride, padding, dilation), n_threads);
}

template <class T>
py::tuple adaptive_max_pool(const Array<T>& x, const Pair& out, bool with_places, int n_threads) {
  return pool(x, Plane(size_of(x), out), with_places, n_threads);
}

template <class T, class Place>
Array<T> adaptive_max_pool_backward(const Array<T>& dy, const Array<Place>& places, const Pair& size, int n_threads) {
  return pool_backward(dy, places, Plane(size, size_of(dy)), n_threads);
}

template <class T, class Place>
void bind_backward(py::module_& module) {
  using py::arg;
  module.def("nn_max_pool_backward", &max_pool_backward<T, Place>, arg("dy").noconvert(), arg("places").noconvert(),
             arg("size"), arg("kernel"), arg("stride"), arg("padding"), arg("dilation"), arg("n_threads"),
             "The derivative by images of so many rows and columns.");
  module.def("nn_adaptive_max_pool_backward", &adaptive_max_pool_backward<T, Place>, arg("dy").noconvert(),
             arg("places").noconvert(), arg("size"), arg("n_threads"),
             "The derivative by images of so many rows and columns.");
}

template <class T>
void bind_nn_pooling_of(py::module_& module) {
  using py::arg;
  module.def("nn_max_pool", &max_pool<T>, arg("x").noconvert(), arg("out"), arg("kernel"), arg("stride"),
             arg("padding"), arg("dilation"), arg("with_places"), arg("n_threads"),
             "(y, places or None) of NHWC images: maxima of `out` windows, and where in the windows they are.");
  module.def("nn_adaptive_max_pool", &adaptive_max_pool<T>, arg("x").noconvert(), arg("out"), arg("with_places"),
             arg("n_threads"), "(y, places or None) of NHWC images: maxima of `out` windows that cover them.");
  bind_backward<T, std::uint8_t>(module);
  bind_backward<T, std::int32_t>(module);
}

}  // namespace

void bind_nn_pooling(py::module_& module) {
  bind_nn_pooling_of<float>(module);
  bind_nn_pooling_of<double>(module);
}

}  // namespace fastml
