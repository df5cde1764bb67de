#include <array>

#include "bindings.hpp"
#include "image_sizes.hpp"
#include "nn/resampling.hpp"
#include "pooled_array.hpp"

namespace fastml {
namespace {

using nn::Taps;

using Factors = std::array<double, 2>;

// The images that a map is between: `size` rows and columns, and `out` of the result.
template <class T>
struct Map {
  Taps<T> down, across;

  Array<T> of(const Array<T>& x, int n_threads) const {
    require(x.ndim() == 4 && x.shape(1) == down.in && x.shape(2) == across.in,
            "resampling: expected NHWC images of " + std::to_string(down.in) + " x " + std::to_string(across.in));
    const py::ssize_t batch = x.shape(0), channels = x.shape(3);
    Array<T> y = pooled_array<T>({batch, py::ssize_t(down.out()), py::ssize_t(across.out()), channels});
    T* to = y.mutable_data();
    const T* from = x.data();
    const py::gil_scoped_release unlocked;
    nn::resample(batch, channels, down, across, from, to, n_threads);
    return y;
  }
  Map transposed() const { return {nn::transposed(down), nn::transposed(across)}; }
};

void require_images(const Pair& size, const Pair& out) {
  require(size[0] > 0 && size[1] > 0 && out[0] >= 0 && out[1] >= 0, "resampling: expected images of some pixels");
}

template <class T>
Map<T> means(const Pair& size, const Pair& out, const Pair& kernel, const Pair& stride, const Pair& padding,
             bool count_margin, std::int64_t divisor) {
  require_images(size, out);
  const auto taps = [&](int i) {
    require(kernel[i] > 0 && stride[i] > 0 && padding[i] >= 0, "avg_pool: expected positive kernel and stride");
    return nn::mean_taps<T>(size[i], out[i], kernel[i], stride[i], padding[i], count_margin);
  };
  Map<T> map{taps(0), taps(1)};
  if (divisor != 0) {
    std::fill(map.down.divisor.begin(), map.down.divisor.end(), T(divisor));
    std::fill(map.across.divisor.begin(), map.across.divisor.end(), T(1));
  }
  return map;
}

template <class T>
Map<T> adaptive_means(const Pair& size, const Pair& out) {
  require_images(size, out);
  return {nn::adaptive_mean_taps<T>(size[0], out[0]), nn::adaptive_mean_taps<T>(size[1], out[1])};
}

template <class T>
Map<T> enlargement(const Pair& size, const Pair& out, bool linear, bool align_corners, const Factors& factors) {
  require_images(size, out);
  const auto taps = [&](int i) {
    require(factors[i] == 0 || (factors[i] * double(size[i]) >= 0.5 && factors[i] < 1e15),
            "upsample: expected factors that leave some pixels");
    return linear ? nn::linear_taps<T>(size[i], out[i], align_corners, factors[i])
                  : nn::nearest_taps<T>(size[i], out[i], factors[i]);
  };
  return {taps(0), taps(1)};
}

template <class T>
void bind_nn_resampling_of(py::module_& module) {
  using py::arg;
  const char* backward = "The derivative by images of so many rows and columns.";
  module.def(
      "nn_avg_pool",
      [](const Array<T>& x, const Pair& out, const Pair& kernel, const Pair& stride, const Pair& padding,
         bool count_margin, std::int64_t divisor, int n_threads) {
        return means<T>(size_of(x), out, kernel, stride, padding, count_margin, divisor).of(x, n_threads);
      },
      arg("x").noconvert(), arg("out"), arg("kernel"), arg("stride"), arg("padding"), arg("count_margin"),
      arg("divisor"), arg("n_threads"),
      "Means of `out` windows of NHWC images; sums over the divisor where it is not 0.");
  module.def(
      "nn_avg_pool_backward",
      [](const Array<T>& dy, const Pair& size, const Pair& kernel, const Pair& stride, const Pair& padding,
         bool count_margin, std::int64_t divisor, int n_threads) {
        const Map<T> map = means<T>(size, size_of(dy), kernel, stride, padding, count_margin, divisor);
        return map.transposed().of(dy, n_threads);
      },
      arg("dy").noconvert(), arg("size"), arg("kernel"), arg("stride"), arg("padding"), arg("count_margin"),
      arg("divisor"), arg("n_threads"), backward);
  module.def(
      "nn_adaptive_avg_pool",
      [](const Array<T>& x, const Pair& out, int n_threads) {
        return adaptive_means<T>(size_of(x), out).of(x, n_threads);
      },
      arg("x").noconvert(), arg("out"), arg("n_threads"), "Means of `out` windows that cover NHWC images.");
  module.def(
      "nn_adaptive_avg_pool_backward",
      [](const Array<T>& dy, const Pair& size, int n_threads) {
        return adaptive_means<T>(size, size_of(dy)).transposed().of(dy, n_threads);
      },
      arg("dy").noconvert(), arg("size"), arg("n_threads"), backward);
  module.def(
      "nn_upsample",
      [](const Array<T>& x, const Pair& out, bool linear, bool align_corners, const Factors& factors, int n_threads) {
        return enlargement<T>(size_of(x), out, linear, align_corners, factors).of(x, n_threads);
      },
      arg("x").noconvert(), arg("out"), arg("linear"), arg("align_corners"), arg("factors"), arg("n_threads"),
      "NHWC images of another size, of the nearest pixels or linear between them. A factor of 0 is out / in.");
  module.def(
      "nn_upsample_backward",
      [](const Array<T>& dy, const Pair& size, bool linear, bool align_corners, const Factors& factors, int n_threads) {
        return enlargement<T>(size, size_of(dy), linear, align_corners, factors).transposed().of(dy, n_threads);
      },
      arg("dy").noconvert(), arg("size"), arg("linear"), arg("align_corners"), arg("factors"), arg("n_threads"),
      backward);
}

}  // namespace

void bind_nn_resampling(py::module_& module) {
  bind_nn_resampling_of<float>(module);
  bind_nn_resampling_of<double>(module);
}

}  // namespace fastml
