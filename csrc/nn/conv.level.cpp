#include "nn/activation_math.hpp"
#include "nn/column_panels.hpp"
#include "nn/conv_kernels.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::Activation;
using nn::ConvKernels;
using nn::Epilogue;
using nn::GatheredImage;

// Pixels whose products with other values are summed in registers: as many as keep both factors in L1.
constexpr std::int64_t kBlockPixels = 128;

template <class T>
std::int64_t panels_size(std::int64_t n_steps, std::int64_t cols) {
  return ColumnPanels<T>{n_steps, cols}.size();
}

template <class T>
void pack(const T* from, const std::int64_t* starts, std::int64_t n_steps, std::int64_t cols, std::int64_t col_stride,
          T* to) {
  const ColumnPanels<T> panels{n_steps, cols};
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const std::int64_t width = panels.width(p), here = panels.cols(p);
    for (std::int64_t k = 0; k < n_steps; ++k) {
      T* row = to + panels.offset(p) + k * width;
      for (std::int64_t j = 0; j < here; ++j) row[j] = from[starts[k] + (p * kTileCols<T> + j) * col_stride];
      for (std::int64_t j = here; j < width; ++j) row[j] = T(0);
    }
  }
}

template <class T>
void unpack(const T* from, const std::int64_t* starts, std::int64_t n_steps, std::int64_t cols, std::int64_t col_stride,
            T* to) {
  const ColumnPanels<T> panels{n_steps, cols};
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    for (std::int64_t k = 0; k < n_steps; ++k) {
      const T* row = from + panels.offset(p) + k * panels.width(p);
      for (std::int64_t j = 0; j < panels.cols(p); ++j) to[starts[k] + (p * kTileCols<T> + j) * col_stride] = row[j];
    }
  }
}

// A of a tile: row i begins at rows[i].
template <class T>
struct GatheredRows {
  const T* const* rows;
  const std::int64_t* steps;
  FASTML_INLINE T operator()(int i, std::int64_t k) const { return rows[i][steps[k]]; }
};

// A transposed: row i of a tile is step i, position p is a pixel.
template <class T>
struct GatheredSteps {
  const T* image;
  const std::int64_t* pixels;
  const std::int64_t* steps;
  FASTML_INLINE T operator()(int i, std::int64_t p) const { return image[pixels[p] + steps[i]]; }
};

template <class T>
void activate_tile(Activation kind, T* tile, std::int64_t count, T parameter) {
  if (kind == Activation::identity) return;
  nn_math::with_kind(kind, [&](auto known) __attribute__((always_inline)) {
    for (std::int64_t i = 0; i < count; i += kLanes<T>) {
      store(tile + i, nn_math::value<decltype(known)::value, T>(load(tile + i), parameter));
    }
  });
}

// Adds rows of another array, of `cols` elements, to those of a tile.
template <class T>
void add_to_tile(const T* from, const std::int64_t* places, int height, std::int64_t cols, std::int64_t width,
                 T* tile) {
  for (int r = 0; r < height; ++r) {
    for (std::int64_t j = 0; j < cols; ++j) tile[r * width + j] += from[places[r] + j];
  }
}

// Rows of a tile go where `to` says, through a ReLU if asked for, while they are in registers.
template <class T, int MR, int NV>
__attribute__((noinline)) void run_gathered(const T* const* rows, const std::int64_t* steps, std::int64_t depth,
                                            const T* b, const T* bias, bool relu, T* const* to) {
  vec<T> acc[MR][NV];
#pragma GCC unroll 8
  for (int j = 0; j < NV; ++j) {
    const vec<T> first = bias == nullptr ? vec<T>{} : load(bias + j * kLanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) acc[i][j] = first;
  }
  multiply_tile(depth, GatheredRows<T>{rows, steps}, b, NV * kLanes<T>, acc);
  if (relu) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < NV; ++j) acc[i][j] = nn_math::value<Activation::relu, T>(acc[i][j], T(0));
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) store(to[i] + j * kLanes<T>, acc[i][j]);
  }
}

template <class T>
void multiply(const GatheredImage<T>& a, const T* weights, std::int64_t cols, const Epilogue<T>& epilogue, T* to,
              const std::int64_t* places) {
  const ColumnPanels<T> panels{a.n_steps, cols};
  const bool relu = epilogue.kind == Activation::relu && epilogue.more == nullptr;
  const bool in_registers = relu || (epilogue.kind == Activation::identity && epilogue.more == nullptr);
  alignas(64) T tile[kTileRows * kTileCols<T>];
  for (std::int64_t i = 0; i < a.n_pixels; i += kTileRows) {
    const int height = int(least(a.n_pixels - i, kTileRows));
    const T* rows[kTileRows];
    for (int r = 0; r < height; ++r) rows[r] = a.image + a.pixels[i + r];
    for (std::int64_t p = 0; p < panels.count(); ++p) {
      const T* panel = weights + panels.offset(p);
      const T* start = epilogue.bias == nullptr ? nullptr : epilogue.bias + p * kTileCols<T>;
      const std::int64_t width = panels.width(p), here = panels.cols(p);
      // Whole vectors are stored where they belong, if nothing is left to do to them.
      const bool direct = in_registers && here == width;
      T* results[kTileRows];
      for (int r = 0; r < height; ++r) results[r] = direct ? to + places[i + r] + p * kTileCols<T> : tile + r * width;
      with_rows<kTileRows>(height, [&](auto count) __attribute__((always_inline)) {
        constexpr int MR = decltype(count)::value;
        if (width == kLanes<T>) {
          run_gathered<T, MR, 1>(rows, a.steps, a.n_steps, panel, start, relu, results);
        } else {
          run_gathered<T, MR, kTileVectors>(rows, a.steps, a.n_steps, panel, start, relu, results);
        }
      });
      if (direct) continue;
      if (epilogue.more != nullptr) {
        add_to_tile(epilogue.more + p * kTileCols<T>, places + i, height, here, width, tile);
      }
      if (!relu) activate_tile(epilogue.kind, tile, height * width, epilogue.parameter);
      for (int r = 0; r < height; ++r) {
        T* out = to + places[i + r] + p * kTileCols<T>;
        std::int64_t j = 0;
        for (; j + kLanes<T> <= here; j += kLanes<T>) store(out + j, load(tile + r * width + j));
        for (; j < here; ++j) out[j] = tile[r * width + j];
      }
    }
  }
}

template <class T, int MR, int NV>
__attribute__((noinline)) void add_transposed(GatheredSteps<T> a, std::int64_t depth, const T* b, std::int64_t stride,
                                              T* sums) {
  vec<T> acc[MR][NV];
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) acc[i][j] = load(sums + (i * NV + j) * kLanes<T>);
  }
  multiply_tile(depth, a, b, stride, acc);
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) store(sums + (i * NV + j) * kLanes<T>, acc[i][j]);
  }
}

template <class T>
void multiply_transposed(const GatheredImage<T>& a, const T* other, std::int64_t stride, std::int64_t cols, T* sums) {
  const ColumnPanels<T> panels{a.n_steps, cols};
  alignas(64) T narrow[kBlockPixels * kTileCols<T>];
  for (std::int64_t i = 0; i < a.n_pixels; i += kBlockPixels) {
    const std::int64_t depth = least(a.n_pixels - i, kBlockPixels);
    for (std::int64_t p = 0; p < panels.count(); ++p) {
      const std::int64_t width = panels.width(p), here = panels.cols(p);
      const T* b = other + i * stride + p * kTileCols<T>;
      std::int64_t b_stride = stride;
      if (here < width) {  // whole vectors would reach behind the last row
        for (std::int64_t r = 0; r < depth; ++r) {
          for (std::int64_t j = 0; j < width; ++j) narrow[r * width + j] = j < here ? b[r * stride + j] : T(0);
        }
        b = narrow;
        b_stride = width;
      }
      for (std::int64_t k = 0; k < a.n_steps; k += kTileRows) {
        const GatheredSteps<T> rows{a.image, a.pixels + i, a.steps + k};
        T* to = sums + panels.offset(p) + k * width;
        with_rows<kTileRows>(int(least(a.n_steps - k, kTileRows)), [&](auto count) __attribute__((always_inline)) {
          constexpr int MR = decltype(count)::value;
          if (width == kLanes<T>) {
            add_transposed<T, MR, 1>(rows, depth, b, b_stride, to);
          } else {
            add_transposed<T, MR, kTileVectors>(rows, depth, b, b_stride, to);
          }
        });
      }
    }
  }
}

template <class T>
constexpr ConvKernels<T> kernels() {
  return {panels_size<T>, pack<T>, unpack<T>, multiply<T>, multiply_transposed<T>};
}

}  // namespace

extern const ConvKernels<float> conv_table_f32;
extern const ConvKernels<double> conv_table_f64;
const ConvKernels<float> conv_table_f32 = kernels<float>();
const ConvKernels<double> conv_table_f64 = kernels<double>();

}  // namespace FASTML_LEVEL
}  // namespace fastml
