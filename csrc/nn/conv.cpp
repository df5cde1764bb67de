#include "nn/conv.hpp"

#include <algorithm>
#include <vector>

#include "nn/depthwise.hpp"
#include "runtime/buffer.hpp"

namespace fastml::nn {
namespace {

using Table = std::vector<std::int64_t>;

std::int64_t quotient_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Images of one size, read with margins of zeros.
struct Frame {
  std::int64_t height, width, channels;
  std::int64_t top, bottom, left, right;

  std::int64_t row() const { return (left + width + right) * channels; }
  std::int64_t size() const { return (top + height + bottom) * row(); }
  std::int64_t at(std::int64_t y, std::int64_t x) const { return (y + top) * row() + (x + left) * channels; }
  bool has_margins() const { return top + bottom + left + right > 0; }

  // The image with its margins: itself, where there are none, or a copy in `memory`, whose margins are zeros already.
  template <class T>
  const T* framed(const T* image, T* memory) const {
    if (!has_margins()) return image;
    const std::int64_t values = width * channels;
    for (std::int64_t y = 0; y < height; ++y) std::copy_n(image + y * values, values, memory + at(y, 0));
    return memory;
  }
};

// Pixels of the result that meet the same places of the window, and the products that make them.
struct Pass {
  Table pixels, places;              // of images with margins, of results
  std::vector<Table> steps, starts;  // of each group: of the image, of the weights
};

// Passes over images, of which each thread takes some, or some pixels of each where there are fewer images than threads.
template <class T, class Use>
void for_each_image(const Frame& frame, std::int64_t batch, int threads, std::int64_t n_pixels, const Use& use) {
  if (batch == 0 || n_pixels == 0) return;
  const std::int64_t bands = batch >= threads ? 1 : std::min(quotient_up(threads, batch), n_pixels);
  const std::int64_t units = batch * bands;
  threads = int(std::clamp<std::int64_t>(units, 1, threads));
  const std::int64_t stride = frame.has_margins() ? whole_lines<T>(frame.size()) : 0;
  Buffer<T> memory(stride * threads);
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    for (std::int64_t unit = units * t / threads; unit < units * (t + 1) / threads; ++unit) {
      const std::int64_t band = unit % bands;
      use(t, unit / bands, memory.data() + t * stride, n_pixels * band / bands, n_pixels * (band + 1) / bands);
    }
  }
}

// Weights of each group in panels, and biases with zeros behind them.
template <class T>
struct Packed {
  std::vector<Buffer<T>> panels, biases;

  Packed(const Pass& pass, const T* weight, std::int64_t cols, std::int64_t col_stride, const T* bias) {
    const ConvKernels<T>& kernels = conv_kernels<T>();
    for (std::size_t g = 0; g < pass.steps.size(); ++g) {
      const std::int64_t n_steps = std::int64_t(pass.starts[g].size());
      panels.emplace_back(kernels.panels_size(std::max<std::int64_t>(n_steps, 1), cols));
      kernels.pack(weight, pass.starts[g].data(), n_steps, cols, col_stride, panels.back().data());
      if (bias == nullptr) continue;
      biases.emplace_back(kernels.panels_size(1, cols));
      std::copy_n(bias + std::int64_t(g) * cols, cols, biases.back().data());
    }
  }
  const T* bias(std::size_t g) const { return biases.empty() ? nullptr : biases[g].data(); }
};

// results = images * weights through the epilogue, for the pixels of a pass.
template <class T>
void run(const Pass& pass, const Packed<T>& packed, const Frame& frame, std::int64_t batch, std::int64_t cols,
         const T* images, const Epilogue<T>& epilogue, T* results, std::int64_t result_size, int threads) {
  const ConvKernels<T>& kernels = conv_kernels<T>();
  const std::int64_t image_size = frame.height * frame.width * frame.channels;
  for_each_image<T>(frame, batch, threads, std::int64_t(pass.pixels.size()),
                    [&](int, std::int64_t n, T* memory, std::int64_t begin, std::int64_t end) {
                      const T* image = frame.framed(images + n * image_size, memory);
                      for (std::size_t g = 0; g < pass.steps.size(); ++g) {
                        const Table& steps = pass.steps[g];
                        const std::int64_t at = n * result_size + std::int64_t(g) * cols;
                        const Epilogue<T> own{packed.bias(g), epilogue.more == nullptr ? nullptr : epilogue.more + at,
                                              epilogue.kind, epilogue.parameter};
                        kernels.multiply(
                            {image, pass.pixels.data() + begin, end - begin, steps.data(), std::int64_t(steps.size())},
                            packed.panels[g].data(), cols, own, results + at, pass.places.data() + begin);
                      }
                    });
}

Frame input_frame(const Conv& c) {
  return {c.height, c.width, c.in_channels, c.pad_top, c.pad_bottom, c.pad_left, c.pad_right};
}

// Of the forward pass, and of the derivative by the weights, which meets the same values.
Pass forward_pass(const Conv& c) {
  Pass pass;
  const Frame frame = input_frame(c);
  const auto image = [&](std::int64_t y, std::int64_t x) { return frame.at(y - c.pad_top, x - c.pad_left); };
  for (std::int64_t y = 0; y < c.out_height(); ++y) {
    for (std::int64_t x = 0; x < c.out_width(); ++x) {
      pass.pixels.push_back(image(y * c.stride_h, x * c.stride_w));
      pass.places.push_back((y * c.out_width() + x) * c.out_channels);
    }
  }
  for (std::int64_t g = 0; g < c.groups; ++g) {
    Table steps, starts;
    for (std::int64_t a = 0; a < c.kernel_h; ++a) {
      for (std::int64_t b = 0; b < c.kernel_w; ++b) {
        for (std::int64_t i = 0; i < c.group_in(); ++i) {
          steps.push_back(image(a * c.dilation_h, b * c.dilation_w) + g * c.group_in() + i);
          starts.push_back(((g * c.group_out() * c.group_in() + i) * c.kernel_h + a) * c.kernel_w + b);
        }
      }
    }
    pass.steps.push_back(steps);
    pass.starts.push_back(starts);
  }
  return pass;
}

// Along one axis, what a pixel of dx takes from dy: pixel i at phase r = (i + pad) % stride meets places a of the window
// with a * dilation = r modulo stride, at pixel (i + pad - a * dilation) / stride of dy.
struct Axis {
  std::int64_t size, out, kernel, stride, dilation, pad;

  std::int64_t before() const { return std::max<std::int64_t>(quotient_up((kernel - 1) * dilation - pad, stride), 0); }
  std::int64_t after() const { return std::max<std::int64_t>((size - 1 + pad) / stride - (out - 1), 0); }
  bool meets(std::int64_t a, std::int64_t phase) const { return (a * dilation - phase) % stride == 0; }
};

// The pixels of dx at one phase of the strides.
Pass backward_pass(const Conv& c, const Frame& frame, const Axis& v, const Axis& h, std::int64_t phase_v,
                   std::int64_t phase_h) {
  Pass pass;
  const auto first = [](const Axis& axis, std::int64_t phase) {
    return ((phase - axis.pad) % axis.stride + axis.stride) % axis.stride;
  };
  for (std::int64_t y = first(v, phase_v); y < c.height; y += c.stride_h) {
    for (std::int64_t x = first(h, phase_h); x < c.width; x += c.stride_w) {
      pass.pixels.push_back(frame.at((y + v.pad) / c.stride_h, (x + h.pad) / c.stride_w));
      pass.places.push_back((y * c.width + x) * c.in_channels);
    }
  }
  for (std::int64_t g = 0; g < c.groups; ++g) {
    Table steps, starts;
    for (std::int64_t a = 0; a < c.kernel_h; ++a) {
      for (std::int64_t b = 0; b < c.kernel_w; ++b) {
        if (!v.meets(a, phase_v) || !h.meets(b, phase_h)) continue;
        const std::int64_t up = (a * c.dilation_h - phase_v) / c.stride_h;
        const std::int64_t back = (b * c.dilation_w - phase_h) / c.stride_w;
        for (std::int64_t j = g * c.group_out(); j < (g + 1) * c.group_out(); ++j) {
          steps.push_back(j - up * frame.row() - back * frame.channels);
          starts.push_back((j * c.group_in() * c.kernel_h + a) * c.kernel_w + b);
        }
      }
    }
    pass.steps.push_back(steps);
    pass.starts.push_back(starts);
  }
  return pass;
}

}  // namespace

const char* fault_of(const Conv& c) {
  if (c.groups < 1 || c.in_channels % c.groups != 0 || c.out_channels % c.groups != 0 || c.in_channels < 1 ||
      c.out_channels < 1) {
    return "channels must be multiples of groups";
  }
  if (std::min({c.kernel_h, c.kernel_w, c.stride_h, c.stride_w, c.dilation_h, c.dilation_w}) < 1) {
    return "sizes of the window, strides and dilations must be at least 1";
  }
  if (std::min({c.pad_top, c.pad_bottom, c.pad_left, c.pad_right}) < 0) return "margins must not be negative";
  if (c.height < 1 || c.width < 1 || c.height + c.pad_top + c.pad_bottom <= c.dilation_h * (c.kernel_h - 1) ||
      c.width + c.pad_left + c.pad_right <= c.dilation_w * (c.kernel_w - 1)) {
    return "the window is larger than the image with its margins";
  }
  return nullptr;
}

template <class T>
void conv_forward(const Conv& c, const T* x, const T* weight, const Epilogue<T>& epilogue, T* y, int threads) {
  if (is_depthwise(c)) return depthwise_forward(c, x, weight, epilogue, y, threads);
  const Pass pass = forward_pass(c);
  const std::int64_t cols = c.group_out();
  const Packed<T> packed(pass, weight, cols, c.group_in() * c.kernel_h * c.kernel_w, epilogue.bias);
  run(pass, packed, input_frame(c), c.batch, cols, x, epilogue, y, c.out_height() * c.out_width() * c.out_channels,
      threads);
}

template <class T>
void conv_backward_input(const Conv& c, const T* dy, const T* weight, const Epilogue<T>& epilogue, T* dx, int threads) {
  if (is_depthwise(c)) return depthwise_backward_input(c, dy, weight, epilogue, dx, threads);
  const Axis v{c.height, c.out_height(), c.kernel_h, c.stride_h, c.dilation_h, c.pad_top};
  const Axis h{c.width, c.out_width(), c.kernel_w, c.stride_w, c.dilation_w, c.pad_left};
  const Frame frame{c.out_height(), c.out_width(), c.out_channels, v.before(), v.after(), h.before(), h.after()};
  // Phases in which there are pixels.
  for (std::int64_t y = 0; y < std::min(c.stride_h, c.height); ++y) {
    for (std::int64_t x = 0; x < std::min(c.stride_w, c.width); ++x) {
      const Pass pass = backward_pass(c, frame, v, h, (y + c.pad_top) % c.stride_h, (x + c.pad_left) % c.stride_w);
      const Packed<T> packed(pass, weight, c.group_in(), c.kernel_h * c.kernel_w, epilogue.bias);
      run(pass, packed, frame, c.batch, c.group_in(), dy, epilogue, dx, c.height * c.width * c.in_channels, threads);
    }
  }
}

template <class T>
void conv_backward_weight(const Conv& c, const T* x, const T* dy, T* dweight, int threads) {
  if (is_depthwise(c)) return depthwise_backward_weight(c, x, dy, dweight, threads);
  const ConvKernels<T>& kernels = conv_kernels<T>();
  const Pass pass = forward_pass(c);
  const Frame frame = input_frame(c);
  const std::int64_t cols = c.group_out(), n_steps = c.group_in() * c.kernel_h * c.kernel_w;
  const std::int64_t size = whole_lines<T>(kernels.panels_size(n_steps, cols));
  const std::int64_t image = c.height * c.width * c.in_channels, n_pixels = c.out_height() * c.out_width();
  threads = int(std::clamp<std::int64_t>(c.batch, 1, threads));
  Buffer<T> sums(size * c.groups * threads);
  for_each_image<T>(
      frame, c.batch, threads, n_pixels, [&](int t, std::int64_t n, T* memory, std::int64_t begin, std::int64_t end) {
        const T* framed = frame.framed(x + n * image, memory);
        for (std::int64_t g = 0; g < c.groups; ++g) {
          kernels.multiply_transposed({framed, pass.pixels.data() + begin, end - begin, pass.steps[g].data(), n_steps},
                                      dy + (n * n_pixels + begin) * c.out_channels + g * cols, c.out_channels, cols,
                                      sums.data() + (t * c.groups + g) * size);
        }
      });
  for (int t = 1; t < threads; ++t) {
    const T* more = sums.data() + t * c.groups * size;
    for (std::int64_t i = 0; i < c.groups * size; ++i) sums.data()[i] += more[i];
  }
  for (std::int64_t g = 0; g < c.groups; ++g) {
    kernels.unpack(sums.data() + g * size, pass.starts[g].data(), n_steps, cols, n_steps, dweight);
  }
}

#define FASTML_CONV_(T)                                                                            \
  template void conv_forward(const Conv&, const T*, const T*, const Epilogue<T>&, T*, int);        \
  template void conv_backward_input(const Conv&, const T*, const T*, const Epilogue<T>&, T*, int); \
  template void conv_backward_weight(const Conv&, const T*, const T*, T*, int);
FASTML_CONV_(float)
FASTML_CONV_(double)
#undef FASTML_CONV_

}  // namespace fastml::nn
