#include "nn/resampling.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#define FASTML_TABLE_TYPE nn::ResamplingTables
#define FASTML_TABLE_NAME resampling_tables_of_level

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const nn::ResamplingTables& nn::resampling_tables(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::resampling_tables_of_level;
  }
}

namespace nn {
namespace {

template <class T>
const ResamplingKernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return resampling_tables().f32;
  } else {
    return resampling_tables().f64;
  }
}

template <class T>
Taps<T> sized(std::int64_t in, std::int64_t out, std::int64_t taps_of_each) {
  Taps<T> taps(in);
  taps.starts.reserve(out + 1);
  taps.divisor.reserve(out);
  taps.index.reserve(out * taps_of_each);
  taps.weight.reserve(out * taps_of_each);
  return taps;
}

// Pixels of the image for one of the result.
template <class T>
T scale_of(std::int64_t in, std::int64_t out, double factor) {
  return factor > 0 ? T(1 / factor) : T(in) / T(out);
}

}  // namespace

template <class T>
Taps<T> mean_taps(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                  bool count_margin) {
  Taps<T> taps = sized<T>(in, out, std::min(kernel, in));
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t begin = o * stride - pad, end = std::min(begin + kernel, in + pad);
    const std::int64_t first = std::max<std::int64_t>(begin, 0), last = std::min(end, in);
    for (std::int64_t i = first; i < last; ++i) taps.add(i, 1);
    taps.close(T(std::max<std::int64_t>(count_margin ? end - begin : last - first, 1)));
  }
  return taps;
}

template <class T>
Taps<T> adaptive_mean_taps(std::int64_t in, std::int64_t out) {
  Taps<T> taps = sized<T>(in, out, in / std::max<std::int64_t>(out, 1) + 2);
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t first = o * in / out, last = ((o + 1) * in + out - 1) / out;
    for (std::int64_t i = first; i < last; ++i) taps.add(i, 1);
    taps.close(T(std::max<std::int64_t>(last - first, 1)));
  }
  return taps;
}

template <class T>
Taps<T> nearest_taps(std::int64_t in, std::int64_t out, double factor) {
  Taps<T> taps = sized<T>(in, out, 1);
  const float scale = scale_of<float>(in, out, factor);
  for (std::int64_t o = 0; o < out; ++o) {
    taps.add(std::min(std::int64_t(std::floor(float(o) * scale)), in - 1), 1);
    taps.close(1);
  }
  return taps;
}

template <class T>
Taps<T> linear_taps(std::int64_t in, std::int64_t out, bool align_corners, double factor) {
  Taps<T> taps = sized<T>(in, out, 2);
  const T scale = align_corners ? (out > 1 ? T(in - 1) / T(out - 1) : T(0)) : scale_of<T>(in, out, factor);
  for (std::int64_t o = 0; o < out; ++o) {
    const T at = align_corners ? T(o) * scale : std::max(scale * (T(o) + T(0.5)) - T(0.5), T(0));
    const std::int64_t low = std::min(std::int64_t(at), in - 1);
    const T share = std::clamp(at - T(low), T(0), T(1));
    // Not where the share is 0: an infinite pixel would become NaN.
    if (low + 1 == in || share < 1) taps.add(low, low + 1 == in ? T(1) : 1 - share);
    if (low + 1 < in && share > 0) taps.add(low + 1, share);
    taps.close(1);
  }
  return taps;
}

template <class T>
Taps<T> transposed(const Taps<T>& taps) {
  Taps<T> to(taps.out());
  to.starts.assign(taps.in + 1, 0);
  to.divisor.assign(taps.in, 1);
  to.index.resize(taps.index.size());
  to.weight.resize(taps.index.size());
  for (const std::int64_t i : taps.index) ++to.starts[i + 1];
  for (std::int64_t i = 0; i < taps.in; ++i) to.starts[i + 1] += to.starts[i];
  std::vector<std::int64_t> next(to.starts.begin(), to.starts.end() - 1);
  for (std::int64_t o = 0; o < taps.out(); ++o) {
    for (std::int64_t k = taps.starts[o]; k < taps.starts[o + 1]; ++k) {
      const std::int64_t place = next[taps.index[k]]++;
      to.index[place] = o;
      to.weight[place] = taps.weight[k] / taps.divisor[o];
    }
  }
  return to;
}

template <class T>
void resample(std::int64_t batch, std::int64_t channels, const Taps<T>& down, const Taps<T>& across, const T* x, T* y,
              int threads) {
  const std::int64_t rows = batch * down.out(), row_stride = across.in * channels, row_size = across.out() * channels;
  threads = int(std::clamp<std::int64_t>(rows, 1, threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (std::int64_t i = rows * t / threads; i < rows * (t + 1) / threads; ++i) {
      kernels<T>().resample_row(down.view(), i % down.out(), across.view(), across.out(), channels, row_stride,
                                x + i / down.out() * down.in * row_stride, y + i * row_size);
    }
  }
}

#define FASTML_INSTANTIATE(T)                                                                             \
  template Taps<T> mean_taps(std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, bool); \
  template Taps<T> adaptive_mean_taps(std::int64_t, std::int64_t);                                        \
  template Taps<T> nearest_taps(std::int64_t, std::int64_t, double);                                      \
  template Taps<T> linear_taps(std::int64_t, std::int64_t, bool, double);                                 \
  template Taps<T> transposed(const Taps<T>&);                                                            \
  template void resample(std::int64_t, std::int64_t, const Taps<T>&, const Taps<T>&, const T*, T*, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace nn
}  // namespace fastml
