#include "nn/max_pooling.hpp"

#include <algorithm>
#include <type_traits>

#define FASTML_TABLE_TYPE nn::MaxPoolTables
#define FASTML_TABLE_NAME max_pool_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::MaxPoolTables& nn::max_pool_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::max_pool_tables_of_level;
  }
}

namespace nn {
namespace {

template <class T, class Place>
const MaxPoolKernels<T, Place>& kernels() {
  constexpr bool narrow = std::is_same_v<Place, std::uint8_t>;
  if constexpr (std::is_same_v<T, float>) {
    if constexpr (narrow) return max_pool_tables().f32;
    if constexpr (!narrow) return max_pool_tables().f32_wide;
  } else {
    if constexpr (narrow) return max_pool_tables().f64;
    if constexpr (!narrow) return max_pool_tables().f64_wide;
  }
}

// Windows by the pixels in them: see MemberView.
struct Members {
  std::vector<std::int64_t> starts, window, place;

  explicit Members(const Windows& windows) : starts(windows.in + 1, 0) {
    const auto each = [&](const auto& use) {
      for (std::int64_t o = 0; o < windows.out(); ++o) {
        for (std::int64_t k = 0; k < windows.count[o]; ++k) use(windows.begin[o] + k * windows.step, o, k);
      }
    };
    each([&](std::int64_t pixel, std::int64_t, std::int64_t) { ++starts[pixel + 1]; });
    for (std::int64_t i = 0; i < windows.in; ++i) starts[i + 1] += starts[i];
    window.resize(starts.back());
    place.resize(starts.back());
    std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
    each([&](std::int64_t pixel, std::int64_t o, std::int64_t k) {
      const std::int64_t at = next[pixel]++;
      window[at] = o;
      place[at] = windows.place[o] + k;
    });
  }
  MemberView view() const { return {starts.data(), window.data(), place.data()}; }
};

// Calls step(image, row) for all rows of all images, each thread's in order.
template <class Step>
void share_rows(std::int64_t batch, std::int64_t rows_of_each, int threads, const Step& step) {
  const std::int64_t rows = batch * rows_of_each;
  threads = int(std::clamp<std::int64_t>(rows, 1, threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (std::int64_t i = rows * t / threads; i < rows * (t + 1) / threads; ++i) {
      step(i / rows_of_each, i % rows_of_each);
    }
  }
}

}  // namespace

Windows sliding_windows(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                        std::int64_t dilation) {
  Windows windows{in, kernel, dilation, {}, {}, {}};
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t at = o * stride - pad;
    const std::int64_t place = at < 0 ? (-at + dilation - 1) / dilation : 0, begin = at + place * dilation;
    const std::int64_t inside = begin < in ? (in - 1 - begin) / dilation + 1 : 0;
    const std::int64_t count = std::max<std::int64_t>(std::min(inside, kernel - place), 0);
    windows.begin.push_back(count > 0 ? begin : 0);
    windows.count.push_back(count);
    windows.place.push_back(place);
  }
  return windows;
}

Windows adaptive_windows(std::int64_t in, std::int64_t out) {
  Windows windows{in, 1, 1, {}, {}, {}};
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;
    windows.begin.push_back(begin);
    windows.count.push_back(end - begin);
    windows.place.push_back(0);
    windows.places = std::max(windows.places, end - begin);
  }
  return windows;
}

template <class T, class Place>
void max_pool(std::int64_t batch, std::int64_t channels, const Windows& down, const Windows& across, const T* x, T* y,
              Place* places, int threads) {
  const std::int64_t in_row = across.in * channels, out_row = across.out() * channels;
  share_rows(batch, down.out(), threads, [&](std::int64_t image, std::int64_t row) {
    const std::int64_t at = (image * down.out() + row) * out_row;
    kernels<T, Place>().forward(down.view(), row, across.view(), across.places, across.out(), channels, in_row,
                                x + image * down.in * in_row, y + at, places == nullptr ? nullptr : places + at);
  });
}

template <class T, class Place>
void max_pool_backward(std::int64_t batch, std::int64_t channels, const Windows& down, const Windows& across,
                       const T* dy, const Place* places, T* dx, int threads) {
  const std::int64_t in_row = across.in * channels, out_row = across.out() * channels;
  const Members rows(down), cols(across);
  share_rows(batch, down.in, threads, [&](std::int64_t image, std::int64_t row) {
    const std::int64_t at = image * down.out() * out_row;
    kernels<T, Place>().backward(rows.view(), row, cols.view(), across.places, across.in, channels, out_row, dy + at,
                                 places + at, dx + (image * down.in + row) * in_row);
  });
}

#define FASTML_INSTANTIATE(T, Place)                                                                                  \
  template void max_pool(std::int64_t, std::int64_t, const Windows&, const Windows&, const T*, T*, Place*, int);      \
  template void max_pool_backward(std::int64_t, std::int64_t, const Windows&, const Windows&, const T*, const Place*, \
                                  T*, int);
FASTML_INSTANTIATE(float, std::uint8_t)
FASTML_INSTANTIATE(double, std::uint8_t)
FASTML_INSTANTIATE(float, std::int32_t)
FASTML_INSTANTIATE(double, std::int32_t)
#undef FASTML_INSTANTIATE

}  // namespace nn
}  // namespace fastml
