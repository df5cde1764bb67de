#include "linear/squared_loss.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "linear/pieces.hpp"
#include "runtime/buffer.hpp"

namespace fastml::linear {
namespace {

// Multiply-adds between two questions whether to stop: some milliseconds.
constexpr double kWorkPerQuestion = 2e7;

template <class T>
class SquaredLoss final : public NewtonFunction {
 public:
  SquaredLoss(const SquaredLossRows<T>& rows, const SquaredLossTargets& targets, int threads, StopCheck stop)
      : rows_(rows),
        targets_(targets),
        size_(rows.size()),
        threads_(std::max(threads, 1)),
        stop_(stop),
        shares_(shares_of_rows()),
        piece_(piece_of(rows)),
        stride_(whole_lines<double>(size_)),
        sums_(stride_ * threads_),
        losses_(threads_),
        counts_(threads_),
        active_(rows.rows()),
        next_active_(rows.rows()) {}

  std::int64_t size() const override { return size_; }

  bool value_gradient(const double* point, double& value, double* gradient) override {
    clear();
    const bool finished = for_each_piece(shares_, piece_, stop_, [&](int t, std::int64_t begin, std::int64_t end) {
      std::int64_t count = 0;
      losses_[t] += kernels_.loss_gradient(rows_, targets_, point, begin, end, sums(t),
                                           next_active_.data() + shares_[t] + counts_[t], count);
      counts_[t] += count;
    });
    double norm = 0, loss = 0;
    for (std::int64_t j = 0; j < size_; ++j) norm += point[j] * point[j];
    for (const double part : losses_) loss += part;
    value = norm / 2 + loss;
    add_up(point, gradient);
    return finished;
  }

  void settle() override {
    std::int64_t count = 0;
    for (int t = 0; t < threads_; ++t) {
      std::memmove(next_active_.data() + count, next_active_.data() + shares_[t], counts_[t] * sizeof(std::int32_t));
      count += counts_[t];
    }
    std::swap(active_, next_active_);
    // Rows in use may lie in few of the shares of all rows: they are dealt anew.
    active_shares_.resize(threads_ + 1);
    for (int t = 0; t <= threads_; ++t) active_shares_[t] = count * t / threads_;
  }

  bool hessian_product(const double* direction, double* product) override {
    clear();
    const auto step = [&](int t, std::int64_t begin, std::int64_t end) {
      kernels_.hessian_product(rows_, targets_.weights, direction, active_.data() + begin, end - begin, sums(t));
    };
    const bool finished = for_each_piece(active_shares_, piece_, stop_, step);
    add_up(direction, product);
    return finished;
  }

 private:
  // As many values each. A sparse row counts as a few more than it has: its error is computed, too.
  std::vector<std::int64_t> shares_of_rows() const {
    constexpr std::int64_t row_cost = 8;
    const std::int64_t count = rows_.rows();
    std::vector<std::int64_t> begins(threads_ + 1, count);
    std::int64_t row = 0;
    for (int t = 0; t < threads_; ++t) {
      if (rows_.dense.data != nullptr) {
        begins[t] = count * t / threads_;
        continue;
      }
      const std::int32_t* offsets = rows_.sparse.offsets;
      const auto cost = [&](std::int64_t i) { return offsets[i] - offsets[0] + row_cost * i; };
      while (row < count && cost(row) < cost(count) * t / threads_) ++row;
      begins[t] = row;
    }
    return begins;
  }

  static std::int64_t piece_of(const SquaredLossRows<T>& rows) {
    double values = double(rows.features());
    if (rows.dense.data == nullptr) {
      values = double(rows.sparse.offsets[rows.rows()] - rows.sparse.offsets[0]) /
               double(std::max<std::int64_t>(rows.rows(), 1));
    }
    return std::max<std::int64_t>(std::int64_t(kWorkPerQuestion / (2 * values + 8)), 1);
  }

  double* sums(int thread) { return sums_.data() + thread * stride_; }

  void clear() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(losses_.begin(), losses_.end(), 0.0);
    std::fill(counts_.begin(), counts_.end(), 0);
  }

  // to = point + 2 sums: kernels leave out the factor of all derivatives.
  void add_up(const double* point, double* to) {
    for (std::int64_t j = 0; j < size_; ++j) {
      double sum = sums_.data()[j];
      for (int t = 1; t < threads_; ++t) sum += sums_.data()[t * stride_ + j];
      to[j] = point[j] + 2 * sum;
    }
  }

  const SquaredLossKernels<T>& kernels_ = squared_loss_kernels<T>();
  SquaredLossRows<T> rows_;
  SquaredLossTargets targets_;
  std::int64_t size_;
  int threads_;
  StopCheck stop_;
  std::vector<std::int64_t> shares_, active_shares_;
  std::int64_t piece_;
  std::int64_t stride_;
  Buffer<double> sums_;
  std::vector<double> losses_;
  std::vector<std::int64_t> counts_;
  // Rows with an error, at the point that was settled for and at the last one.
  Buffer<std::int32_t> active_, next_active_;
};

}  // namespace

template <class T>
std::unique_ptr<NewtonFunction> make_squared_loss(const SquaredLossRows<T>& rows, const SquaredLossTargets& targets,
                                                  int threads, StopCheck stop) {
  return std::make_unique<SquaredLoss<T>>(rows, targets, threads, stop);
}

template std::unique_ptr<NewtonFunction> make_squared_loss(const SquaredLossRows<float>&, const SquaredLossTargets&,
                                                           int, StopCheck);
template std::unique_ptr<NewtonFunction> make_squared_loss(const SquaredLossRows<double>&, const SquaredLossTargets&,
                                                           int, StopCheck);

}  // namespace fastml::linear
