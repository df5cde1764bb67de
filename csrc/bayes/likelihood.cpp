#include "bayes/likelihood.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "bayes/row_chunks.hpp"
#include "bayes/tuning.hpp"
#include "runtime/buffer.hpp"

namespace fastml::bayes {
namespace {

constexpr double kTwoPi = 6.283185307179586;

// The sum of the logarithms of 2 pi times some variances. Most of them are taken of products of many.
double sum_of_logs(const double* variances, std::int64_t count) {
  constexpr double kLargest = 1e150, kSmallest = 1e-150;
  double sum = 0, product = 1;
  for (std::int64_t j = 0; j < count; ++j) {
    const double value = kTwoPi * variances[j];
    if (!(value < kLargest && value > kSmallest)) {  // also what has no logarithm
      sum += std::log(value);
      continue;
    }
    product *= value;
    if (!(product < kLargest && product > kSmallest)) {
      sum += std::log(product);
      product = 1;
    }
  }
  return sum + std::log(product);
}

bool has_inverse(double variance) {
  const double inverse = 0.5 / variance;
  return variance == 0 || !std::isfinite(variance) ||
         (std::isfinite(inverse) && std::fabs(inverse) >= std::numeric_limits<double>::min());
}

class Packed {
 public:
  Packed(Term term, std::int64_t features, std::int64_t classes, int group)
      : term_(term),
        features_(features),
        classes_(classes),
        group_(group),
        parameters_((classes + group - 1) / group * group * features * kParameters),
        constants_((classes + group - 1) / group * group) {}

  void set(std::int64_t k, std::int64_t j, int which, double value) {
    const std::int64_t place = (k / group_ * features_ + j) * kParameters + which;
    parameters_.data()[place * group_ + k % group_] = value;
  }
  void set_constant(std::int64_t k, double value) { constants_.data()[k] = value; }

  PackedModel model() const { return {term_, features_, classes_, parameters_.data(), constants_.data()}; }

 private:
  Term term_;
  std::int64_t features_, classes_;
  int group_;
  Buffer<double> parameters_, constants_;
};

template <class T>
ScoreResult score_packed(const PackedModel& model, Rows<const T> x, const Outcomes& out, int threads, StopCheck stop) {
  const LikelihoodKernels<T>& kernels = likelihood_kernels<T>();
  threads = threads_for_rows(x.rows, kRowsPerThread, threads);
  const std::int64_t scratch = whole_lines<double>(kernels.scratch_size(model.features, model.classes));
  Buffer<double> memory(threads * scratch);
  std::atomic<bool> finite{true};
  const std::int64_t chunk = kChunkWork / (model.features * model.classes) + 1;
  const bool finished =
      for_each_row_chunk(x.rows, chunk, kTileRows, threads, stop, [&](int t, std::int64_t begin, std::int64_t end) {
        if (!kernels.score(model, x, begin, end, out, memory.data() + t * scratch)) finite = false;
      });
  if (!finished) return ScoreResult::stopped;
  return finite ? ScoreResult::finite : ScoreResult::not_finite;
}

}  // namespace

template <class T>
ScoreResult score_rows(const GaussianModel& model, Rows<const T> x, const Outcomes& out, int threads, StopCheck stop) {
  const std::int64_t d = model.features;
  bool inverses = true;
  for (std::int64_t i = 0; i < d * model.classes; ++i) inverses = inverses && has_inverse(model.variances[i]);
  Packed packed(inverses ? Term::product : Term::quotient, d, model.classes, likelihood_kernels<T>().group);
  for (std::int64_t k = 0; k < model.classes; ++k) {
    const double* variances = model.variances + k * d;
    packed.set_constant(k, model.log_priors[k] - 0.5 * sum_of_logs(variances, d));
    for (std::int64_t j = 0; j < d; ++j) {
      packed.set(k, j, 0, model.means[k * d + j]);
      packed.set(k, j, 1, inverses ? 0.5 / variances[j] : 2 * variances[j]);
    }
  }
  return score_packed(packed.model(), x, out, threads, stop);
}

template ScoreResult score_rows(const GaussianModel&, Rows<const float>, const Outcomes&, int, StopCheck);
template ScoreResult score_rows(const GaussianModel&, Rows<const double>, const Outcomes&, int, StopCheck);

}  // namespace fastml::bayes
