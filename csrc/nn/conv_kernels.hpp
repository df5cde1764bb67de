// What convolutions are made of: products one of whose factors is gathered from an image.
//
// An image has its channels side by side, pixel by pixel, row by row (NHWC). Of the matrix that im2col would write, with
// a row for each pixel and a column for each step (a place of the kernel's window, and a channel), element (i, k) is
// image[pixels[i] + steps[k]]. Both tables are computed once for all images, and the products read the image through
// them: the matrix is never written.
#pragma once

#include <cstdint>

#include "nn/activation_kernels.hpp"
#include "runtime/simd_level.hpp"

namespace fastml::nn {

template <class T>
struct GatheredImage {
  const T* image;
  const std::int64_t* pixels;
  std::int64_t n_pixels;
  const std::int64_t* steps;
  std::int64_t n_steps;
};

// What is done to sums before they are stored: activation(sum + bias + more). bias is an element for each column (zeros
// behind the last, as panels have them), more an array laid out as the result is. Either may be null.
template <class T>
struct Epilogue {
  const T* bias = nullptr;
  const T* more = nullptr;
  Activation kind = Activation::identity;
  T parameter = T(0);
};

template <class T>
struct ConvKernels {
  // Elements of a matrix of so many steps and columns in panels, which is how products want it: groups of as many columns
  // as a tile has, zeros behind the last.
  std::int64_t (*panels_size)(std::int64_t n_steps, std::int64_t cols);

  // panels(k, j) = from[starts[k] + j * col_stride]; and back, into the same places.
  void (*pack)(const T* from, const std::int64_t* starts, std::int64_t n_steps, std::int64_t cols,
               std::int64_t col_stride, T* panels);
  void (*unpack)(const T* panels, const std::int64_t* starts, std::int64_t n_steps, std::int64_t cols,
                 std::int64_t col_stride, T* to);

  // to[places[i] + j] = the sum over k of A(i, k) * panels(k, j), through the epilogue.
  void (*multiply)(const GatheredImage<T>& a, const T* panels, std::int64_t cols, const Epilogue<T>& epilogue, T* to,
                   const std::int64_t* places);

  // sums(k, j) += sum over i of A(i, k) * other[i * stride + j], sums in panels.
  void (*multiply_transposed)(const GatheredImage<T>& a, const T* other, std::int64_t stride, std::int64_t cols,
                              T* sums);
};

template <class T>
const ConvKernels<T>& conv_kernels(SimdLevel level = active_level());

}  // namespace fastml::nn
