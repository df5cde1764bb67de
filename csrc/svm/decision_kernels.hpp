// The loops of a kernel machine's decisions: inner products of samples with support vectors, from them values of the
// kernel, and their sums weighed with dual coefficients.
//
// Support vectors lie in panels, transposed: panel[f * panel_cols + s] is feature f of vector s. A lane is a support
// vector, so that a single sample fills whole vectors of lanes, too. Samples are taken in tiles, transposed as well:
// tile[f * height + i]. Values of the kernel are a small matrix, samples x support vectors, that stays in the nearest cache
// between its three passes: a pass of loads and stores costs little beside products and exponentials.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "svm/kernel.hpp"

namespace fastml::svm {

// A matrix of values: those of sample i begin at data + i * stride.
struct KernelValues {
  double* data;
  std::int64_t stride;
};

struct DecisionKernels {
  std::int64_t tile_rows;   // samples of a tile at most
  std::int64_t panel_cols;  // support vectors of a panel

  // Writes `count` <= panel_cols vectors of `features` numbers each, which lie `stride` apart, into a panel, less the centre
  // unless that is nullptr, and their squared norms. Zeros fill the panel up.
  void (*pack_panel)(const double* vectors, std::int64_t stride, std::int64_t count, std::int64_t features,
                     const double* center, double* panel, double* norms);
  // The same of a tile of `height` <= tile_rows samples; nothing is filled up.
  void (*pack_tile)(const double* samples, std::int64_t stride, std::int64_t height, std::int64_t features,
                    const double* center, double* tile, double* norms);
  // values (+)= x.y over the `depth` features that tile and panels begin with: for the samples of a tile and the vectors of
  // `panels` panels, each of `features` features. `add`: whether values hold the products over other features.
  void (*products)(const double* tile, int height, const double* first_panel, std::int64_t panels,
                   std::int64_t features, std::int64_t depth, bool add, KernelValues values);
  // The same with -|x - y|^2 / 2, feature by feature: no difference of large numbers is lost in it.
  void (*differences)(const double* tile, int height, const double* first_panel, std::int64_t panels,
                      std::int64_t features, std::int64_t depth, bool add, KernelValues values);
  // Turns the `count` products of one sample into values of the kernel; whole registers of `values` and `norms` are read and
  // written. `norms` holds the |y|^2; nullptr for zeros, as after differences.
  void (*apply)(const Kernel& kernel, double x_norm, const double* norms, std::int64_t count, double* values);
  // sums[i * sums_stride + q] += sum over s < count of coef[q * coef_stride + s] values(i, s), for `rows` samples and
  // `outputs` rows of coefficients.
  void (*weigh)(KernelValues values, int rows, std::int64_t count, const double* coef, std::int64_t coef_stride,
                std::int64_t outputs, double* sums, std::int64_t sums_stride);
};

const DecisionKernels& decision_kernels(SimdLevel level = active_level());

}  // namespace fastml::svm
