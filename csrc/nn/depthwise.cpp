#include "nn/depthwise.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "nn/depthwise_kernels.hpp"
#include "runtime/buffer.hpp"

namespace fastml::nn {
namespace {

// Products that are summed in T, before the sum goes into one in double: few enough for float32 to lose no more digits
// than its products have lost, and enough to make adding up in double cheap.
constexpr std::int64_t kSummedPixels = 1024;

// The vectors that channels are cut into.
template <class T>
struct Slots {
  std::int64_t lanes;
  std::vector<std::int64_t> first;

  explicit Slots(std::int64_t channels) : lanes(depthwise_kernels<T>().lanes(channels)) {
    for (std::int64_t c = 0; c < channels; c += lanes) first.push_back(std::min(c, channels - lanes));
  }
  std::int64_t size() const { return lanes * std::int64_t(first.size()); }

  // Calls use(i, channel) for every element of the slots.
  template <class Use>
  void for_each(const Use& use) const {
    std::int64_t i = 0;
    for (const std::int64_t begin : first) {
      for (std::int64_t channel = begin; channel < begin + lanes; ++channel) use(i++, channel);
    }
  }
};

// Along one axis: windows of `kernel` places, `step` apart; the first begins at `start`, each `stride` behind the one
// before.
struct Windows {
  std::int64_t kernel, step, start, stride;
};

// Places of a window along one axis, in the order in which they are met.
using Places = std::vector<std::int64_t>;

Places all_places(std::int64_t kernel) {
  Places places(static_cast<std::size_t>(kernel));
  std::iota(places.begin(), places.end(), std::int64_t(0));
  return places;
}

// Weights (channels, 1, kernel_h, kernel_w) of some places, place by place, in slots.
template <class T>
Buffer<T> packed(const Conv& c, const Slots<T>& slots, const T* weight, const Places& down, const Places& across) {
  Buffer<T> to(std::int64_t(down.size() * across.size()) * slots.size());
  T* next = to.data();
  const std::int64_t places = c.kernel_h * c.kernel_w;
  for (const std::int64_t a : down) {
    for (const std::int64_t b : across) {
      const T* from = weight + a * c.kernel_w + b;
      slots.for_each([&](std::int64_t i, std::int64_t channel) { next[i] = from[channel * places]; });
      next += slots.size();
    }
  }
  return to;
}

// An epilogue, its bias in slots. ReLU is applied while a sum is in its register, others to a row that is in L1.
template <class T>
struct Ending {
  const Epilogue<T>& epilogue;
  Buffer<T> biases;

  Ending(const Slots<T>& slots, const Epilogue<T>& epilogue_)
      : epilogue(epilogue_), biases(epilogue.bias == nullptr ? 0 : slots.size()) {
    if (epilogue.bias == nullptr) return;
    slots.for_each([&](std::int64_t i, std::int64_t channel) { biases.data()[i] = epilogue.bias[channel]; });
  }

  // Of results that begin `at`.
  RowEpilogue<T> of_row(std::int64_t at) const {
    return {epilogue.bias == nullptr ? nullptr : biases.data(), epilogue.more == nullptr ? nullptr : epilogue.more + at,
            epilogue.kind == Activation::relu ? T(0) : -std::numeric_limits<T>::infinity()};
  }
  void activate(std::int64_t pixels, std::int64_t channels, T* values) const {
    if (epilogue.kind == Activation::relu || epilogue.kind == Activation::identity) return;
    activation_kernels<T>().forward(epilogue.kind, epilogue.parameter, pixels, channels, nullptr, values, values);
  }
};

template <class T>
DepthwiseRow<T> row_of(const Slots<T>& slots, const T* image, std::int64_t height, std::int64_t width,
                       std::int64_t channels, const Windows& down, const Windows& across, std::int64_t y,
                       std::int64_t count) {
  const std::int64_t top = down.start + y * down.stride;
  const auto before = [&](std::int64_t row) {  // places of the window above this row of the image
    return std::clamp<std::int64_t>((row - top + down.step - 1) / down.step, 0, down.kernel);
  };
  return {image,         width,         {channels, slots.lanes, std::int64_t(slots.first.size()), slots.first.data()},
          across.kernel, down.step,     across.step,
          top,           before(0),     before(height),
          across.start,  across.stride, count};
}

// Calls use(thread, image, row) for all rows of all images, each thread for rows that follow one another.
template <class Use>
void for_each_row(std::int64_t batch, std::int64_t height, int threads, const Use& use) {
  const std::int64_t rows = batch * height;
  threads = int(std::clamp<std::int64_t>(rows, 1, threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (std::int64_t row = rows * t / threads; row < rows * (t + 1) / threads; ++row) use(row / height, row % height);
  }
}

Windows down_of(const Conv& c) { return {c.kernel_h, c.dilation_h, -c.pad_top, c.stride_h}; }
Windows across_of(const Conv& c) { return {c.kernel_w, c.dilation_w, -c.pad_left, c.stride_w}; }

// What pixels of dx at one phase of the stride along an axis take from dy: pixel i meets place a of the window where
// a * dilation = i + pad modulo stride, at pixel (i + pad - a * dilation) / stride of dy. From the last such place to
// the first these pixels are equally far apart: windows over dy, which move by 1.
struct Phase {
  std::int64_t first;  // pixel of dx
  std::int64_t count;
  Places places;
  Windows windows;

  Phase(std::int64_t phase, std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
        std::int64_t pad)
      : first(((phase - pad) % stride + stride) % stride), count(first < size ? (size - 1 - first) / stride + 1 : 0) {
    for (std::int64_t a = kernel - 1; a >= 0; --a) {
      if ((a * dilation - phase) % stride == 0) places.push_back(a);
    }
    const std::int64_t start = places.empty() ? 0 : (first + pad - places[0] * dilation) / stride;
    windows = {std::int64_t(places.size()), dilation / std::gcd(dilation, stride), start, 1};
  }
};

}  // namespace

template <class T>
void depthwise_forward(const Conv& c, const T* x, const T* weight, const Epilogue<T>& epilogue, T* y, int threads) {
  const Slots<T> slots(c.in_channels);
  const Buffer<T> weights = packed(c, slots, weight, all_places(c.kernel_h), all_places(c.kernel_w));
  const Ending<T> ending(slots, epilogue);
  const std::int64_t image = c.height * c.width * c.in_channels, width = c.out_width();
  for_each_row(c.batch, c.out_height(), threads, [&](std::int64_t n, std::int64_t i) {
    const std::int64_t at = (n * c.out_height() + i) * width * c.out_channels;
    depthwise_kernels<T>().multiply(
        row_of(slots, x + n * image, c.height, c.width, c.in_channels, down_of(c), across_of(c), i, width),
        weights.data(), ending.of_row(at), y + at, c.out_channels);
    ending.activate(width, c.out_channels, y + at);
  });
}

template <class T>
void depthwise_backward_input(const Conv& c, const T* dy, const T* weight, const Epilogue<T>& epilogue, T* dx,
                              int threads) {
  const Slots<T> slots(c.in_channels);
  const Ending<T> ending(slots, epilogue);
  std::vector<Phase> down, across;
  // Phases in which there are pixels: that of pixel i is the one of pixel i % stride.
  for (std::int64_t i = 0; i < std::min(c.stride_h, c.height); ++i) {
    down.emplace_back((i + c.pad_top) % c.stride_h, c.height, c.kernel_h, c.stride_h, c.dilation_h, c.pad_top);
  }
  for (std::int64_t i = 0; i < std::min(c.stride_w, c.width); ++i) {
    across.emplace_back((i + c.pad_left) % c.stride_w, c.width, c.kernel_w, c.stride_w, c.dilation_w, c.pad_left);
  }
  std::vector<Buffer<T>> weights;
  for (const Phase& v : down) {
    for (const Phase& h : across) weights.push_back(packed(c, slots, weight, v.places, h.places));
  }
  const std::int64_t image = c.out_height() * c.out_width() * c.out_channels;
  for_each_row(c.batch, c.height, threads, [&](std::int64_t n, std::int64_t i) {
    const std::int64_t phase_v = i % c.stride_h, row = (n * c.height + i) * c.width * c.in_channels;
    const Phase& v = down[std::size_t(phase_v)];
    for (std::size_t phase_h = 0; phase_h < across.size(); ++phase_h) {
      const Phase& h = across[phase_h];
      const std::int64_t at = row + h.first * c.in_channels;
      depthwise_kernels<T>().multiply(row_of(slots, dy + n * image, c.out_height(), c.out_width(), c.in_channels,
                                             v.windows, h.windows, (i - v.first) / c.stride_h, h.count),
                                      weights[std::size_t(phase_v) * across.size() + phase_h].data(), ending.of_row(at),
                                      dx + at, c.stride_w * c.in_channels);
    }
    ending.activate(c.width, c.in_channels, dx + row);
  });
}

template <class T>
void depthwise_backward_weight(const Conv& c, const T* x, const T* dy, T* dweight, int threads) {
  const DepthwiseKernels<T>& kernels = depthwise_kernels<T>();
  const Slots<T> slots(c.in_channels);
  const std::int64_t image = c.height * c.width * c.in_channels, width = c.out_width(), height = c.out_height();
  // Blocks follow from the shape alone, so that the sums in T do not depend on the number of threads.
  const std::int64_t rows = c.batch * height, block = std::max<std::int64_t>(kSummedPixels / width, 1);
  const std::int64_t blocks = (rows + block - 1) / block, size = c.kernel_h * c.kernel_w * slots.size();
  threads = int(std::clamp<std::int64_t>(blocks, 1, threads));
  const std::int64_t part = whole_lines<T>(size), total = whole_lines<double>(size);
  Buffer<T> sums(part * threads);
  Buffer<double> totals(total * threads);
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    T* own = sums.data() + part * t;
    double* own_total = totals.data() + total * t;
    for (std::int64_t row = blocks * t / threads * block; row < std::min(blocks * (t + 1) / threads * block, rows);
         ++row) {
      const std::int64_t n = row / height;
      kernels.add_products(
          row_of(slots, x + n * image, c.height, c.width, c.in_channels, down_of(c), across_of(c), row % height, width),
          dy + row * width * c.out_channels, own);
      if ((row + 1) % block != 0 && row + 1 != rows) continue;
      for (std::int64_t i = 0; i < size; ++i) own_total[i] += double(own[i]);
      std::fill(own, own + size, T(0));
    }
  }
  const std::int64_t places = c.kernel_h * c.kernel_w;
  for (std::int64_t place = 0; place < places; ++place) {
    slots.for_each([&](std::int64_t i, std::int64_t channel) {
      double sum = 0;
      for (int t = 0; t < threads; ++t) sum += totals.data()[t * total + place * slots.size() + i];
      dweight[channel * places + place] = T(sum);
    });
  }
}

#define FASTML_DEPTHWISE_(T)                                                                            \
  template void depthwise_forward(const Conv&, const T*, const T*, const Epilogue<T>&, T*, int);        \
  template void depthwise_backward_input(const Conv&, const T*, const T*, const Epilogue<T>&, T*, int); \
  template void depthwise_backward_weight(const Conv&, const T*, const T*, T*, int);
FASTML_DEPTHWISE_(float)
FASTML_DEPTHWISE_(double)
#undef FASTML_DEPTHWISE_

}  // namespace fastml::nn
