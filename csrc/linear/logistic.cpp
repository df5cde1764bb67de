#include "linear/logistic.hpp"

#include <algorithm>
#include <vector>

#include "linear/pieces.hpp"
#include "runtime/buffer.hpp"

namespace fastml::linear {
namespace {

// Multiply-adds between two questions whether to stop: some milliseconds.
constexpr std::int64_t kWorkPerQuestion = 20'000'000;

// Bytes of Hessians beyond which further threads, each with one of its own, are not used.
constexpr std::int64_t kMostHessianBytes = std::int64_t(256) << 20;

template <class T>
std::int64_t rows_of(const DenseSamples<T>& samples) {
  return samples.x.rows;
}
std::int64_t rows_of(const SparseSamples& samples) { return samples.rows; }

template <class T>
std::int64_t features_of(const DenseSamples<T>& samples) {
  return samples.x.cols;
}
std::int64_t features_of(const SparseSamples& samples) { return samples.cols; }

// The first row of each thread's share, and the number of rows behind the last: as many values each.
template <class T>
std::vector<std::int64_t> shares_of(const DenseSamples<T>& samples, int threads) {
  std::vector<std::int64_t> begins(threads + 1);
  for (int t = 0; t <= threads; ++t) begins[t] = samples.x.rows * t / threads;
  return begins;
}
std::vector<std::int64_t> shares_of(const SparseSamples& samples, int threads) {
  std::vector<std::int64_t> begins(threads + 1);
  const std::int64_t* offsets = samples.offsets;
  // A row counts as a few values more than it has: its loss is computed, too.
  constexpr std::int64_t row_cost = 8;
  const auto cost = [&](std::int64_t row) { return offsets[row] - offsets[0] + row_cost * row; };
  std::int64_t row = 0;
  for (int t = 0; t < threads; ++t) {
    while (row < samples.rows && cost(row) < cost(samples.rows) * t / threads) ++row;
    begins[t] = row;
  }
  begins[threads] = samples.rows;
  return begins;
}

template <class T>
double values_per_row(const DenseSamples<T>& samples) {
  return double(samples.x.cols);
}
double values_per_row(const SparseSamples& samples) {
  return double(samples.offsets[samples.rows] - samples.offsets[0]) / double(std::max<std::int64_t>(samples.rows, 1));
}

template <class Samples>
std::int64_t piece_rows(const Samples& samples, double work_per_value) {
  const double work = std::max(values_per_row(samples) * work_per_value, 1.0);
  return std::max<std::int64_t>(std::int64_t(double(kWorkPerQuestion) / work) / kBlockRows, 1) * kBlockRows;
}

template <class Samples>
class Loss final : public LogisticLoss {
 public:
  using T = typename Samples::Value;

  Loss(const Samples& samples, const LogisticTargets<T>& targets, const LogisticOptions& options)
      : samples_(samples),
        targets_(targets),
        options_(options),
        features_(features_of(samples)),
        outputs_(targets.outputs),
        padded_(whole(features_)),
        shares_(shares_of(samples, std::max(options.threads, 1))),
        piece_(piece_rows(samples, 2.0 * double(targets.outputs))),
        sums_stride_(whole_lines<double>(outputs_ * (padded_ + 1))),
        sums_(sums_stride_ * threads()),
        scratch_stride_(whole_lines<T>(kernels_.scratch_size(features_, outputs_))),
        scratch_(scratch_stride_ * threads()),
        weights_(padded_ * outputs_),
        intercepts_(outputs_),
        losses_(threads()) {}

  std::int64_t size() const override { return outputs_ * (features_ + (options_.intercept ? 1 : 0)); }

  bool loss_gradient(const double* coefficients, double l2, double& loss, double* gradient, StopCheck stop) override {
    return add_losses(coefficients, l2, loss, gradient, nullptr, stop);
  }

  bool loss_gradient_curvature(const double* coefficients, double l2, double& loss, double* gradient,
                               StopCheck stop) override {
    curvature_.resize(rows_of(samples_) * outputs_);
    return add_losses(coefficients, l2, loss, gradient, curvature_.data(), stop);
  }

  bool hessian_product(const double* direction, double l2, double* product, StopCheck stop) override {
    set_model(direction);
    clear_sums();
    const bool finished = for_each_piece(shares_, piece_, stop, [&](int t, std::int64_t begin, std::int64_t end) {
      kernels_.hessian_product(samples_, targets_, model(), begin, end, scratch(t), curvature_.data(), sums(t));
    });
    add_up(direction, l2, product);
    return finished;
  }

  bool loss_gradient_hessian(const double* coefficients, double l2, double& loss, double* gradient, double* hessian,
                             StopCheck stop) override {
    set_model(coefficients);
    clear_sums();
    const std::int64_t pairs = outputs_ * (outputs_ + 1) / 2;
    const std::int64_t stride = kernels_.hessian_stride(features_), matrix = (features_ + 1) * stride;
    const std::int64_t bytes = pairs * matrix * std::int64_t(sizeof(double));
    const int team = int(std::clamp<std::int64_t>(kMostHessianBytes / std::max<std::int64_t>(bytes, 1), 1, threads()));
    const std::int64_t scratch_stride = whole_lines<T>(kernels_.hessian_scratch_size(features_, outputs_));
    const std::vector<std::int64_t> shares = shares_of(samples_, team);
    Buffer<double> hessians(pairs * matrix * team);
    Buffer<T> scratch(scratch_stride * team);
    const double work = double(features_ + 2) * double(pairs);
    const bool finished =
        for_each_piece(shares, piece_rows(samples_, work), stop, [&](int t, std::int64_t begin, std::int64_t end) {
          losses_[t] += kernels_.hessian(samples_, targets_, model(), begin, end, scratch.data() + t * scratch_stride,
                                         sums(t), hessians.data() + t * pairs * matrix);
        });
    loss = total_loss(coefficients, l2);
    add_up(coefficients, l2, gradient);
    for (int t = 1; t < team; ++t) {
      const double* more = hessians.data() + t * pairs * matrix;
      for (std::int64_t i = 0; i < pairs * matrix; ++i) hessians.data()[i] += more[i];
    }
    assemble(hessians.data(), stride, l2, hessian);
    return finished;
  }

 private:
  int threads() const { return int(shares_.size()) - 1; }
  std::int64_t whole(std::int64_t features) const {
    return (features + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
  }
  LogisticSums sums(int thread) { return {sums_.data() + thread * sums_stride_, padded_}; }
  T* scratch(int thread) { return scratch_.data() + thread * scratch_stride_; }
  LogisticModel<T> model() const { return {weights_.data(), intercepts_.data()}; }

  void clear_sums() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(losses_.begin(), losses_.end(), 0.0);
  }

  void set_model(const double* coefficients) {
    const std::int64_t count = features_ * outputs_;
    for (std::int64_t i = 0; i < count; ++i) weights_.data()[i] = T(coefficients[i]);
    for (std::int64_t c = 0; c < outputs_; ++c) {
      intercepts_.data()[c] = options_.intercept ? T(coefficients[count + c]) : T(0);
    }
  }

  bool add_losses(const double* coefficients, double l2, double& loss, double* gradient, T* curvature, StopCheck stop) {
    set_model(coefficients);
    clear_sums();
    const bool finished = for_each_piece(shares_, piece_, stop, [&](int t, std::int64_t begin, std::int64_t end) {
      losses_[t] += kernels_.loss_gradient(samples_, targets_, model(), begin, end, scratch(t), curvature, sums(t));
    });
    loss = total_loss(coefficients, l2);
    add_up(coefficients, l2, gradient);
    return finished;
  }

  double total_loss(const double* coefficients, double l2) const {
    double loss = 0, norm = 0;
    for (const double part : losses_) loss += part;
    for (std::int64_t i = 0; i < features_ * outputs_; ++i) norm += coefficients[i] * coefficients[i];
    return loss / options_.total_weight + 0.5 * l2 * norm;
  }

  // Where the kernels have the sum of feature j and output c.
  std::int64_t place(std::int64_t j, std::int64_t c) const {
    if constexpr (std::is_same_v<Samples, SparseSamples>) {
      return j * outputs_ + c;
    } else {
      return c * padded_ + j;
    }
  }

  // to = sums of all threads / total weight + l2 * weights.
  void add_up(const double* coefficients, double l2, double* to) {
    for (int t = 1; t < threads(); ++t) {
      const double* more = sums(t).values;
      for (std::int64_t i = 0; i < outputs_ * (padded_ + 1); ++i) sums_.data()[i] += more[i];
    }
    const double* total = sums_.data();
    for (std::int64_t j = 0; j < features_; ++j) {
      for (std::int64_t c = 0; c < outputs_; ++c) {
        const std::int64_t i = j * outputs_ + c;
        to[i] = total[place(j, c)] / options_.total_weight + l2 * coefficients[i];
      }
    }
    if (!options_.intercept) return;
    for (std::int64_t c = 0; c < outputs_; ++c) {
      to[features_ * outputs_ + c] = total[padded_ * outputs_ + c] / options_.total_weight;
    }
  }

  // From the matrices of pairs of outputs to one in the order of the coefficients.
  void assemble(const double* pairs, std::int64_t stride, double l2, double* to) const {
    const std::int64_t order = features_ + (options_.intercept ? 1 : 0), total = size();
    for (std::int64_t a = 0, pair = 0; a < outputs_; ++a) {
      for (std::int64_t b = 0; b <= a; ++b, ++pair) {
        const double* matrix = pairs + pair * (features_ + 1) * stride;
        for (std::int64_t i = 0; i < order; ++i) {
          for (std::int64_t j = i; j < order; ++j) {
            double value = matrix[i * stride + j] / options_.total_weight;
            if (i == j && a == b && i < features_) value += l2;
            const std::int64_t ia = i * outputs_ + a, jb = j * outputs_ + b;
            const std::int64_t ib = i * outputs_ + b, ja = j * outputs_ + a;
            to[ia * total + jb] = to[jb * total + ia] = value;
            to[ib * total + ja] = to[ja * total + ib] = value;
          }
        }
      }
    }
  }

  const LogisticKernels<Samples>& kernels_ = logistic_kernels<Samples>();
  Samples samples_;
  LogisticTargets<T> targets_;
  LogisticOptions options_;
  std::int64_t features_, outputs_, padded_;
  std::vector<std::int64_t> shares_;
  std::int64_t piece_;
  std::int64_t sums_stride_;
  Buffer<double> sums_;
  std::int64_t scratch_stride_;
  Buffer<T> scratch_;
  Buffer<T> weights_, intercepts_;
  std::vector<double> losses_;
  std::vector<T> curvature_;
};

}  // namespace

template <class Samples>
std::unique_ptr<LogisticLoss> make_logistic_loss(const Samples& samples,
                                                 const LogisticTargets<typename Samples::Value>& targets,
                                                 const LogisticOptions& options) {
  return std::make_unique<Loss<Samples>>(samples, targets, options);
}

template <class Samples>
bool logistic_probabilities(const Samples& samples, std::int64_t outputs, const typename Samples::Value* coefficients,
                            int threads, typename Samples::Value* probabilities, StopCheck stop) {
  using T = typename Samples::Value;
  const auto& kernels = logistic_kernels<Samples>();
  const std::int64_t features = features_of(samples);
  const std::vector<std::int64_t> shares = shares_of(samples, std::max(threads, 1));
  const std::int64_t stride = whole_lines<T>(kernels.scratch_size(features, outputs));
  Buffer<T> scratch(stride * std::int64_t(shares.size() - 1));
  const std::int64_t padded = (features + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
  Buffer<T> weights(padded * outputs);
  std::copy(coefficients, coefficients + features * outputs, weights.data());
  const LogisticModel<T> model{weights.data(), coefficients + features * outputs};
  return for_each_piece(
      shares, piece_rows(samples, double(outputs)), stop, [&](int t, std::int64_t begin, std::int64_t end) {
        kernels.probabilities(samples, outputs, model, begin, end, scratch.data() + t * stride, probabilities);
      });
}

#define FASTML_INSTANTIATE(Samples)                                                                       \
  template std::unique_ptr<LogisticLoss> make_logistic_loss(                                              \
      const Samples&, const LogisticTargets<typename Samples::Value>&, const LogisticOptions&);           \
  template bool logistic_probabilities(const Samples&, std::int64_t, const typename Samples::Value*, int, \
                                       typename Samples::Value*, StopCheck);
FASTML_INSTANTIATE(DenseSamples<float>)
FASTML_INSTANTIATE(DenseSamples<double>)
FASTML_INSTANTIATE(SparseSamples)
#undef FASTML_INSTANTIATE

}  // namespace fastml::linear
