#include <cmath>
#include <cstring>
#include <vector>

#include "bindings.hpp"
#include "nn/augment.hpp"

namespace fastml {
namespace {

using Numbers = Array<std::int64_t>;

template <class T>
nn::ImageShape shape_of(const Array<T>& images) {
  require(images.ndim() == 4, "expected images of shape (n, height, width, channels)");
  return {images.shape(0), images.shape(1), images.shape(2), images.shape(3)};
}

template <class T>
Array<T> batch(const nn::ImageShape& shape, std::int64_t height, std::int64_t width) {
  return Array<T>({shape.count, height, width, shape.channels});
}

// Four numbers for each image, as the kernel's struct of four.
template <class Four>
std::vector<Four> fours(const Numbers& numbers, std::int64_t count) {
  static_assert(sizeof(Four) == 4 * sizeof(std::int64_t));
  require(numbers.ndim() == 2 && numbers.shape(0) == count && numbers.shape(1) == 4,
          "expected four numbers for each image");
  std::vector<Four> result(std::size_t(count), Four{});
  if (count > 0) std::memcpy(static_cast<void*>(result.data()), numbers.data(), std::size_t(numbers.nbytes()));
  return result;
}

template <class T>
Array<T> windows(const Array<T>& images, const Numbers& places, std::int64_t height, std::int64_t width, bool reflect,
                 T fill, int n_threads) {
  const nn::ImageShape shape = shape_of(images);
  require(height >= 0 && width >= 0, "expected a height and a width that are not negative");
  require(!reflect || (shape.height > 0 && shape.width > 0), "expected images of pixels to reflect");
  const auto shown = fours<nn::Window>(places, shape.count);
  // Far from where a sum of places would overflow.
  constexpr std::int64_t limit = std::int64_t(1) << 40;
  require(std::all_of(shown.begin(), shown.end(),
                      [](const nn::Window& w) { return std::abs(w.top) < limit && std::abs(w.left) < limit; }),
          "a window is too far away");
  Array<T> result = batch<T>(shape, height, width);
  const T* from = images.data();
  T* to = result.mutable_data();
  const auto outside = reflect ? nn::Outside::reflect : nn::Outside::constant;
  const py::gil_scoped_release unlocked;
  nn::show_windows<T>(shape, from, shown.data(), height, width, outside, fill, to, n_threads);
  return result;
}

template <class T>
Array<T> rotated(const Array<T>& images, const Array<double>& angles, T fill, int n_threads) {
  const nn::ImageShape shape = shape_of(images);
  require(angles.size() == shape.count, "expected an angle for each image");
  const double* radians = angles.data();
  require(std::all_of(radians, radians + shape.count, [](double angle) { return std::isfinite(angle); }),
          "expected angles that are finite");
  Array<T> result = batch<T>(shape, shape.height, shape.width);
  const T* from = images.data();
  T* to = result.mutable_data();
  const py::gil_scoped_release unlocked;
  nn::rotate<T>(shape, from, radians, fill, to, n_threads);
  return result;
}

template <class T>
Array<T> covered(const Array<T>& images, const Numbers& boxes, T fill, int n_threads) {
  const nn::ImageShape shape = shape_of(images);
  const auto places = fours<nn::Box>(boxes, shape.count);
  require(std::all_of(places.begin(), places.end(),
                      [&](const nn::Box& box) {
                        return 0 <= box.top && box.top <= box.bottom && box.bottom <= shape.height && 0 <= box.left &&
                               box.left <= box.right && box.right <= shape.width;
                      }),
          "expected boxes inside of the images");
  Array<T> result = batch<T>(shape, shape.height, shape.width);
  const T* from = images.data();
  T* to = result.mutable_data();
  const py::gil_scoped_release unlocked;
  nn::cover<T>(shape, from, places.data(), fill, to, n_threads);
  return result;
}

template <class T>
Array<T> mixed(const Array<T>& x, const Numbers& partners, const Array<T>& shares, int n_threads) {
  const Rows<const T> rows = rows_of(x);
  require(partners.size() == rows.rows && shares.size() == rows.rows, "expected a partner and a share for each row");
  require(are_indices(partners.data(), rows.rows, rows.rows), "partners: an index is out of range");
  Array<T> result = empty_like(x);
  T* to = result.mutable_data();
  const auto* const others = partners.data();
  const T* const parts = shares.data();
  const py::gil_scoped_release unlocked;
  nn::mix<T>(rows.rows, rows.cols, rows.data, others, parts, to, n_threads);
  return result;
}

template <class T>
void bind_moves(py::module_& module) {
  module.def("nn_windows", &windows<T>, py::arg("images").noconvert(), py::arg("places").noconvert(), py::arg("height"),
             py::arg("width"), py::arg("reflect"), py::arg("fill"), py::arg("n_threads"),
             "Parts of images (NHWC), by (top, left, flip_rows, flip_columns) for each. Outside of an image there is\n"
             "`fill`, or its reflection.");
  module.def("nn_cover", &covered<T>, py::arg("images").noconvert(), py::arg("boxes").noconvert(), py::arg("fill"),
             py::arg("n_threads"), "Images (NHWC) with `fill` in a box (top, bottom, left, right) each.");
}

template <class T>
void bind_sums(py::module_& module) {
  module.def("nn_rotate", &rotated<T>, py::arg("images").noconvert(), py::arg("angles").noconvert(), py::arg("fill"),
             py::arg("n_threads"), "Images (NHWC) turned anticlockwise by angles in radians, interpolated bilinearly.");
  module.def("nn_mix", &mixed<T>, py::arg("x").noconvert(), py::arg("partners").noconvert(),
             py::arg("shares").noconvert(), py::arg("n_threads"),
             "shares * x + (1 - shares) * x[partners], row by row.");
}

}  // namespace

void bind_nn_augment(py::module_& module) {
  bind_moves<float>(module);
  bind_moves<double>(module);
  bind_moves<std::uint8_t>(module);
  bind_sums<float>(module);
  bind_sums<double>(module);
}

}  // namespace fastml
