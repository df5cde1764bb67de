// What a network of dense layers does with a chunk of rows, at one SIMD level: forward and backward passes, updates.
//
// Layer l turns rows of widths[l] values into rows of widths[l + 1]: z = a W + b, then an activation. The loss and the
// output's activation must belong together (squared error with identity, Poisson with exp, log loss with softmax or
// logistic), since the derivative by z of the last layer is taken to be a - y, as scikit-learn does.
//
// Parameters lie in panels, which products read as they are: W is cut into groups of as many columns as a register tile
// has; a panel has a row for each input, then one with the intercepts. Columns past the last are zeros and stay so.
// Whatever belongs to parameters (gradients, moments) lies in the same order.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

enum class DenseActivation { identity, logistic, tanh, relu, softmax, exp };
enum class DenseLoss { squared_error, poisson, log_loss, binary_log_loss };

struct DenseShape {
  const std::int64_t* widths;  // layers + 1 of them
  int layers;
  DenseActivation hidden;
  DenseActivation output;
  DenseLoss loss;
};

// Rows of float32 or float64, dense (C-contiguous) or CSR. Borrowed.
struct DenseInput {
  const void* values;
  bool is_double;
  const std::int32_t* indices;  // nullptr for dense rows
  const std::int64_t* offsets;
  std::int64_t rows;
  std::int64_t cols;
};

// One value an output of each row: numbers, or flags (0 or 1). None at all in predictions.
template <class T>
struct DenseTargets {
  const T* values;            // or nullptr
  const std::uint8_t* flags;  // or nullptr
  const double* weights;      // of rows; or nullptr
};

// A chunk: row i of it is row order[i] of the input, or row first + i where there is no order.
template <class T>
struct DenseChunk {
  DenseShape shape;
  DenseInput input;
  DenseTargets<T> targets;
  const std::int64_t* order;
  std::int64_t first;
  std::int64_t rows;
  bool sparse;                 // the first layer reads CSR rows as they are; activations[0] is not used
  const T* const* weights;     // panels of each layer
  T* const* activations;       // layers + 1 blocks of rows; the last one becomes the derivatives by z of the last layer
  T* const* deltas;            // deltas[l], 1 <= l < layers: the derivatives by z of layer l - 1
  const std::int64_t* stride;  // between the rows of activations[l] and of deltas[l]
};

// Velocities of SGD are `first`, moments of Adam `first` and `second`. The gradient is kept.
enum class Rule { gradient, sgd, nesterov, adam };

template <class T>
struct DenseUpdate {
  Rule rule;
  bool begins;  // the chunk is the first of its batch: sums start from zero
  bool ends;    // the chunk is the last one: sums become gradients, and those an update
  T alpha;
  T inverse_weight;  // 1 / total weight of the batch
  T rate;
  T momentum;  // beta_1 of Adam
  T beta_2;
  T epsilon;
  T* const* weights;
  T* const* gradients;  // of each layer: sums of a batch of several chunks, or the gradient that is asked for; of a
                        // sparse first layer always, and zero when a batch begins
  T* const* first;
  T* const* second;
};

template <class T>
struct DenseKernels {
  // Elements of a layer's panels, of a row with its padding, and of a thread's scratch memory.
  std::int64_t (*panels_size)(std::int64_t inputs, std::int64_t outputs);
  std::int64_t (*row_stride)(std::int64_t width);
  std::int64_t (*scratch_size)(const DenseShape& shape);

  // From coef (inputs x outputs, row-major) and intercept to panels, and back.
  void (*load_layer)(std::int64_t inputs, std::int64_t outputs, const T* coef, const T* intercept, T* panels);
  void (*store_layer)(std::int64_t inputs, std::int64_t outputs, const T* panels, T* coef, T* intercept);

  // Activations of rows [begin, end) of the chunk. With targets, the derivatives too; returns the sum of weight * loss,
  // losses without the constant factor of squared errors, 1 / (2 outputs). Touches those rows of buffers only.
  double (*pass)(const DenseChunk<T>& chunk, std::int64_t begin, std::int64_t end, T* scratch);

  // From the derivatives of all rows to sums, gradients, new parameters, for the share `part` of `parts` equal ones.
  // Returns the sum of the squares of its share's old weights, intercepts left out; 0 where the batch goes on.
  double (*update)(const DenseChunk<T>& chunk, const DenseUpdate<T>& update, int part, int parts, T* scratch);

  // Outputs of a single row, with coefficients as users hold them. `buffers` are two rows of the widest layer.
  void (*forward_row)(const DenseShape& shape, const T* row, const T* const* coefs, const T* const* intercepts,
                      T* buffers, T* outputs);
};

template <class T>
const DenseKernels<T>& dense_kernels(SimdLevel level = active_level());

}  // namespace fastml::nn
