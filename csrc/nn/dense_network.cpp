#include "nn/dense_network.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "nn/dense_tuning.hpp"

namespace fastml::nn {
namespace {

template <class T>
std::vector<T*> addresses(std::vector<Buffer<T>>& buffers, std::size_t count) {
  std::vector<T*> at(count, nullptr);
  for (std::size_t i = 0; i < buffers.size(); ++i) at[i] = buffers[i].data();
  return at;
}

// Threads for so many multiply-adds of T.
template <class T>
int team(double multiply_adds, int threads) {
  const double work = multiply_adds * double(sizeof(T)) / double(sizeof(double));
  return int(std::clamp(work / kChunkWorkPerThread, 1.0, double(std::max(threads, 1))));
}

// A number that a thread adds to, on a cache line of its own.
struct alignas(64) Sum {
  double value = 0;
};

}  // namespace

// What an epoch goes through.
template <class T>
struct DenseNetwork<T>::Batches {
  DenseInput input;
  DenseTargets<T> targets;
  const std::int64_t* order;
  std::int64_t batch;
  double alpha;
  int threads;

  std::int64_t row(std::int64_t i) const { return order == nullptr ? i : order[i]; }

  // The total weight of the batch that begins at row `begin`.
  double weight(std::int64_t begin) const {
    const std::int64_t end = std::min(begin + batch, input.rows);
    if (targets.weights == nullptr) return double(end - begin);
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += targets.weights[row(i)];
    return sum;
  }
};

template <class T>
DenseNetwork<T>::DenseNetwork(std::vector<std::int64_t> widths, DenseActivation hidden, DenseActivation output,
                              DenseLoss loss)
    : widths_(std::move(widths)),
      hidden_(hidden),
      output_(output),
      loss_(loss),
      kernels_(dense_kernels<T>()),
      scratch_(0),
      scratch_stride_(0) {
  for (const std::int64_t width : widths_) strides_.push_back(kernels_.row_stride(width));
  weights_ = panels();
  weights_at_ = addresses(weights_, std::size_t(layers()));
  first_at_ = second_at_ = gradients_at_ = std::vector<T*>(std::size_t(layers()), nullptr);
}

template <class T>
std::int64_t DenseNetwork<T>::size() const {
  std::int64_t sum = 0;
  for (int l = 0; l < layers(); ++l) sum += (widths_[l] + 1) * widths_[l + 1];
  return sum;
}

template <class T>
std::int64_t DenseNetwork<T>::multiply_adds() const {
  std::int64_t sum = 0;
  for (int l = 0; l < layers(); ++l) sum += widths_[l] * widths_[l + 1];
  return sum;
}

template <class T>
std::vector<Buffer<T>> DenseNetwork<T>::panels() const {
  std::vector<Buffer<T>> buffers;
  for (int l = 0; l < layers(); ++l) buffers.emplace_back(kernels_.panels_size(widths_[l], widths_[l + 1]));
  return buffers;
}

template <class T>
void DenseNetwork<T>::load(Parameters which, const T* flat) {
  std::vector<Buffer<T>>& to = which == Parameters::weights ? weights_ : which == Parameters::first ? first_ : second_;
  if (to.empty()) {
    to = panels();
    (which == Parameters::first ? first_at_ : second_at_) = addresses(to, std::size_t(layers()));
  }
  const T* intercepts = flat + multiply_adds();
  for (int l = 0; l < layers(); ++l) {
    kernels_.load_layer(widths_[l], widths_[l + 1], flat, intercepts, to[l].data());
    flat += widths_[l] * widths_[l + 1];
    intercepts += widths_[l + 1];
  }
}

template <class T>
void DenseNetwork<T>::copy_out(const std::vector<Buffer<T>>& panels, T* flat) const {
  T* intercepts = flat + multiply_adds();
  for (int l = 0; l < layers(); ++l) {
    kernels_.store_layer(widths_[l], widths_[l + 1], panels[l].data(), flat, intercepts);
    flat += widths_[l] * widths_[l + 1];
    intercepts += widths_[l + 1];
  }
}

template <class T>
void DenseNetwork<T>::store(Parameters which, T* flat) const {
  const std::vector<Buffer<T>>& from = which == Parameters::weights ? weights_
                                       : which == Parameters::first ? first_
                                                                    : second_;
  if (from.empty()) {
    std::fill(flat, flat + size(), T(0));
  } else {
    copy_out(from, flat);
  }
}

template <class T>
bool DenseNetwork<T>::reads_sparse(const DenseInput& input) const {
  if (input.offsets == nullptr) return false;
  const double stored = double(input.offsets[input.rows] - input.offsets[0]);
  return stored < kDenseShare * double(input.rows) * double(input.cols);
}

template <class T>
void DenseNetwork<T>::reserve(std::int64_t rows, int threads) {
  if (rows > reserved_rows_) {
    activations_.clear();
    deltas_.clear();
    for (int l = 0; l <= layers(); ++l) activations_.emplace_back(strides_[l] * rows);
    for (int l = 0; l < layers(); ++l) deltas_.emplace_back(l == 0 ? 0 : strides_[l] * rows);
    activations_at_ = addresses(activations_, activations_.size());
    deltas_at_ = addresses(deltas_, deltas_.size());
    reserved_rows_ = rows;
  }
  if (threads > reserved_threads_) {
    scratch_stride_ = whole_lines<T>(kernels_.scratch_size(shape()));
    scratch_ = Buffer<T>(scratch_stride_ * threads);
    reserved_threads_ = threads;
  }
}

template <class T>
DenseChunk<T> DenseNetwork<T>::chunk_of(const DenseInput& input, std::int64_t rows) {
  return {shape(),
          input,
          {nullptr, nullptr, nullptr},
          nullptr,
          0,
          rows,
          reads_sparse(input),
          weights_at_.data(),
          activations_at_.data(),
          deltas_at_.data(),
          strides_.data()};
}

template <class T>
Outcome DenseNetwork<T>::run(const Batches& batches, const DenseUpdate<T>& update, Optimizer* optimizer, double& loss,
                             StopCheck stop) {
  const std::int64_t rows = batches.input.rows;
  const std::int64_t chunk_rows = std::min(batches.batch, kChunkRows);
  const int threads = team<T>(3.0 * double(chunk_rows) * double(multiply_adds()), batches.threads);
  reserve(chunk_rows, threads);
  // Sums of several chunks, and those of CSR rows, need memory; so does a gradient that is asked for.
  const bool sparse = reads_sparse(batches.input);
  if (gradients_.empty() && (update.rule == Rule::gradient || batches.batch > kChunkRows || sparse)) {
    gradients_ = panels();
    gradients_at_ = addresses(gradients_, std::size_t(layers()));
  }
  if (sparse) std::fill(gradients_[0].begin(), gradients_[0].end(), T(0));

  const double factor = loss_ == DenseLoss::squared_error ? 0.5 / double(widths_.back()) : 1.0;
  std::vector<Sum> sums(std::size_t(threads), Sum{}), losses(std::size_t(threads), Sum{});
  const std::int64_t steps_before = optimizer == nullptr ? 0 : optimizer->steps;
  std::int64_t learnt = 0;
  bool stopped = false, weightless = false;

#pragma omp parallel num_threads(threads) if (threads > 1)
  for (std::int64_t begin = 0; begin < rows; begin += batches.batch) {
    const std::int64_t end = std::min(begin + batches.batch, rows);
    const double weight = batches.weight(begin);
    DenseUpdate<T> u = update;
    u.gradients = gradients_at_.data();
    u.inverse_weight = T(1 / weight);
    if (u.rule == Rule::adam) {
      const double t = double(steps_before + begin / batches.batch + 1);
      const double root = std::sqrt(1 - std::pow(optimizer->beta_2, t));
      u.rate = T(optimizer->rate * root / (1 - std::pow(optimizer->momentum, t)));
      if (optimizer->scales_epsilon) u.epsilon = T(optimizer->epsilon * root);
    }
    for (std::int64_t first = begin; first < end; first += chunk_rows) {
      DenseChunk<T> chunk = chunk_of(batches.input, std::min(chunk_rows, end - first));
      chunk.targets = batches.targets;
      chunk.order = batches.order == nullptr ? nullptr : batches.order + first;
      chunk.first = first;
      u.begins = first == begin;
      u.ends = first + chunk.rows == end;
#pragma omp for schedule(static, 1)
      for (int t = 0; t < threads; ++t) {
        losses[t].value += kernels_.pass(chunk, chunk.rows * t / threads, chunk.rows * (t + 1) / threads,
                                         scratch_.data() + t * scratch_stride_);
      }
      // Everybody sees the same here: the flags are written behind the next barrier only.
      if (weight == 0 && batches.targets.weights != nullptr) {
#pragma omp single
        weightless = true;
      } else {
#pragma omp for schedule(static, 1)
        for (int t = 0; t < threads; ++t) {
          const double squares = kernels_.update(chunk, u, t, threads, scratch_.data() + t * scratch_stride_);
          if (u.ends) {
            const double batch_loss = (factor * losses[t].value + 0.5 * batches.alpha * squares) / weight;
            sums[t].value += batch_loss * double(end - begin);
            losses[t].value = 0;
          }
          if (t == 0) {  // the calling thread's
            if (u.ends) ++learnt;
            if (stop != nullptr && stop()) stopped = true;
          }
        }
      }
      if (stopped || weightless) break;
    }
    if (stopped || weightless) break;
  }
  loss = 0;
  for (const Sum& sum : sums) loss += sum.value;
  if (optimizer != nullptr) optimizer->steps += learnt;
  return weightless ? Outcome::weightless : stopped ? Outcome::stopped : Outcome::finished;
}

template <class T>
Outcome DenseNetwork<T>::train_epoch(const DenseInput& input, const DenseTargets<T>& targets, const std::int64_t* order,
                                     std::int64_t batch, double alpha, Optimizer& optimizer, int threads, double& loss,
                                     StopCheck stop) {
  const auto ensure = [this](std::vector<Buffer<T>>& buffers, std::vector<T*>& at) {
    if (!buffers.empty()) return;
    buffers = panels();
    at = addresses(buffers, std::size_t(layers()));
  };
  ensure(first_, first_at_);
  if (optimizer.rule == Rule::adam) ensure(second_, second_at_);
  const DenseUpdate<T> update{optimizer.rule,
                              true,
                              true,
                              T(alpha),
                              T(0),
                              T(optimizer.rate),
                              T(optimizer.momentum),
                              T(optimizer.beta_2),
                              T(optimizer.epsilon),
                              weights_at_.data(),
                              nullptr,
                              first_at_.data(),
                              second_at_.data()};
  const Batches batches{input, targets, order, std::max<std::int64_t>(batch, 1), alpha, threads};
  return run(batches, update, &optimizer, loss, stop);
}

template <class T>
Outcome DenseNetwork<T>::loss_gradient(const DenseInput& input, const DenseTargets<T>& targets, double alpha,
                                       int threads, double& loss, T* gradient, StopCheck stop) {
  const DenseUpdate<T> update{Rule::gradient,
                              true,
                              true,
                              T(alpha),
                              T(0),
                              T(0),
                              T(0),
                              T(0),
                              T(0),
                              weights_at_.data(),
                              nullptr,
                              first_at_.data(),
                              second_at_.data()};
  const Batches batches{input, targets, nullptr, std::max<std::int64_t>(input.rows, 1), alpha, threads};
  const Outcome outcome = run(batches, update, nullptr, loss, stop);
  if (outcome != Outcome::finished) return outcome;
  loss /= double(std::max<std::int64_t>(input.rows, 1));
  copy_out(gradients_, gradient);
  return outcome;
}

template <class T>
bool DenseNetwork<T>::predict(const DenseInput& input, int threads, T* outputs, StopCheck stop) {
  const std::int64_t piece = std::min(kPredictRows, std::max<std::int64_t>(input.rows, 1));
  const int workers = int(std::min<std::int64_t>(team<T>(double(input.rows) * double(multiply_adds()), threads),
                                                 std::max<std::int64_t>((input.rows + piece - 1) / piece, 1)));
  reserve(piece * workers, workers);
  const std::int64_t pieces = (input.rows + piece - 1) / piece, cols = widths_.back();
  std::atomic<bool> stopped{false};
#pragma omp parallel for num_threads(workers) schedule(static, 1) if (workers > 1)
  for (int t = 0; t < workers; ++t) {
    // Each thread has buffers of its own for a piece of rows.
    std::vector<T*> own(activations_at_);
    for (std::size_t l = 0; l < own.size(); ++l) own[l] += t * piece * strides_[l];
    for (std::int64_t p = pieces * t / workers; p < pieces * (t + 1) / workers; ++p) {
      if (stopped.load(std::memory_order_relaxed)) break;
      DenseChunk<T> chunk = chunk_of(input, std::min(piece, input.rows - p * piece));
      chunk.first = p * piece;
      chunk.activations = own.data();
      kernels_.pass(chunk, 0, chunk.rows, scratch_.data() + t * scratch_stride_);
      for (std::int64_t i = 0; i < chunk.rows; ++i) {
        const T* from = own.back() + i * strides_.back();
        std::copy(from, from + cols, outputs + (chunk.first + i) * cols);
      }
      if (t == 0 && stop != nullptr && stop()) stopped = true;
    }
  }
  return !stopped;
}

template <class T>
void dense_forward_row(const std::vector<std::int64_t>& widths, DenseActivation hidden, DenseActivation output,
                       const T* row, const T* const* coefs, const T* const* intercepts, T* outputs) {
  const std::int64_t widest = *std::max_element(widths.begin(), widths.end());
  Buffer<T> buffers(2 * whole_lines<T>(widest));
  const DenseShape shape{widths.data(), int(widths.size()) - 1, hidden, output, DenseLoss::squared_error};
  dense_kernels<T>().forward_row(shape, row, coefs, intercepts, buffers.data(), outputs);
}

template class DenseNetwork<float>;
template class DenseNetwork<double>;
template void dense_forward_row(const std::vector<std::int64_t>&, DenseActivation, DenseActivation, const float*,
                                const float* const*, const float* const*, float*);
template void dense_forward_row(const std::vector<std::int64_t>&, DenseActivation, DenseActivation, const double*,
                                const double* const*, const double* const*, double*);

}  // namespace fastml::nn
