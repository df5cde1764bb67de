// A network of dense layers (multilayer perceptron): whole epochs of training, loss and gradient, prediction.
//
// Each thread takes some rows of a chunk through all layers and back, with the weights as they are; after a barrier
// each takes some tiles of the weights, sums their gradients over all rows of the chunk, and updates them while they
// are in L1. Gradients are kept only where a batch has several chunks, or CSR rows. So there are two barriers a chunk,
// and the result depends on the number of threads by the rounding of losses alone; at a fixed number it repeats bit for
// bit.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/dense_kernels.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::nn {

// Whether reading CSR rows stays within `stored` values and their columns.
inline bool in_bounds(const DenseInput& x, std::int64_t stored) {
  std::int64_t last = 0;
  for (std::int64_t i = 0; i <= x.rows; ++i) {
    if (x.offsets[i] < last || x.offsets[i] > stored) return false;
    last = x.offsets[i];
  }
  return are_indices(x.indices + x.offsets[0], last - x.offsets[0], x.cols);
}

struct Optimizer {
  Rule rule;  // not `gradient`
  double rate;
  double momentum;  // beta_1 of Adam
  double beta_2;
  double epsilon;
  std::int64_t steps;           // of Adam, so far
  bool scales_epsilon = false;  // its epsilon is added to the root once the bias of that is corrected, as in PyTorch
};

enum class Outcome { finished, stopped, weightless };  // weightless: the weights of a batch add up to zero

enum class Parameters { weights, first, second };

// Not for several threads at once. Methods throw std::bad_alloc.
template <class T>
class DenseNetwork {
 public:
  DenseNetwork(std::vector<std::int64_t> widths, DenseActivation hidden, DenseActivation output, DenseLoss loss);

  // All weights and intercepts: what load() and store() copy: first the weights of all layers (inputs x outputs,
  // row-major), then all intercepts.
  std::int64_t size() const;
  const std::vector<std::int64_t>& widths() const { return widths_; }
  void load(Parameters which, const T* flat);
  void store(Parameters which, T* flat) const;

  // One pass over all rows in batches, in the given order (row numbers) or, where it is null, as they lie. Adds up
  // loss * rows of the batches; the loss has the penalty alpha / (2 total weight) |W|^2. When stopped, the batches so
  // far have been learnt; `optimizer.steps` counts them.
  Outcome train_epoch(const DenseInput& input, const DenseTargets<T>& targets, const std::int64_t* order,
                      std::int64_t batch, double alpha, Optimizer& optimizer, int threads, double& loss,
                      StopCheck stop);

  // Of all rows as one batch, at the weights loaded; the gradient in the order of store().
  Outcome loss_gradient(const DenseInput& input, const DenseTargets<T>& targets, double alpha, int threads,
                        double& loss, T* gradient, StopCheck stop);

  // outputs[i * widths.back() + j] of each row. False when stopped.
  bool predict(const DenseInput& input, int threads, T* outputs, StopCheck stop);

 private:
  struct Batches;

  DenseShape shape() const { return {widths_.data(), layers(), hidden_, output_, loss_}; }
  int layers() const { return int(widths_.size()) - 1; }
  std::int64_t multiply_adds() const;
  std::vector<Buffer<T>> panels() const;
  void copy_out(const std::vector<Buffer<T>>& panels, T* flat) const;
  bool reads_sparse(const DenseInput& input) const;
  DenseChunk<T> chunk_of(const DenseInput& input, std::int64_t rows);
  void reserve(std::int64_t rows, int threads);
  Outcome run(const Batches& batches, const DenseUpdate<T>& update, Optimizer* optimizer, double& loss, StopCheck stop);

  std::vector<std::int64_t> widths_;
  DenseActivation hidden_, output_;
  DenseLoss loss_;
  const DenseKernels<T>& kernels_;
  std::vector<std::int64_t> strides_;
  std::vector<Buffer<T>> weights_, first_, second_, gradients_;
  std::vector<Buffer<T>> activations_, deltas_;
  std::vector<T*> weights_at_, first_at_, second_at_, gradients_at_, activations_at_, deltas_at_;
  Buffer<T> scratch_;
  std::int64_t scratch_stride_;
  std::int64_t reserved_rows_ = 0;
  int reserved_threads_ = 0;
};

// Outputs of one row, with the coefficients of each layer where the user has them.
template <class T>
void dense_forward_row(const std::vector<std::int64_t>& widths, DenseActivation hidden, DenseActivation output,
                       const T* row, const T* const* coefs, const T* const* intercepts, T* outputs);

}  // namespace fastml::nn
