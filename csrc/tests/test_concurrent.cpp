// Kernels hold no state between calls: several threads that use them at once, each with threads of its own, get what one
// thread alone gets. Run under ThreadSanitizer, this is also the search for races.
#include <thread>
#include <vector>

#include "cluster/lloyd.hpp"
#include "cluster/predict.hpp"
#include "cluster/seeding.hpp"
#include "gemm/gemm.hpp"
#include "stats/columns.hpp"
#include "tests/check.hpp"
#include "tests/samples.hpp"

using namespace fastml;

namespace {

template <class T>
struct Answers {
  std::vector<T> product, centers, distances;
  std::vector<std::int32_t> labels, predicted;
  double inertia = 0;
  bool finite = false;
  std::vector<double> variances;

  bool operator==(const Answers& other) const {
    return product == other.product && centers == other.centers && distances == other.distances &&
           labels == other.labels && predicted == other.predicted && inertia == other.inertia &&
           finite == other.finite && variances == other.variances;
  }
};

void multiply(const GemmArguments<float>& g) { gemm_kernels().f32(g); }
void multiply(const GemmArguments<double>& g) { gemm_kernels().f64(g); }

// Each part is large enough to wake a second thread.
template <class T>
Answers<T> compute(const std::vector<T>& x, std::int64_t rows, std::int64_t cols, int threads) {
  const std::int64_t clusters = 16, n = 120;
  Answers<T> answers;
  answers.product.resize(n * n);
  multiply({n, n, n, T(1), x.data(), n, 1, x.data(), 1, n, T(0), answers.product.data(), n, 1, threads});

  const KMeansData<T> data{{x.data(), rows, cols, cols}, {}, false, nullptr, nullptr};
  Lloyd<T> lloyd(data, clusters, threads, true);
  lloyd.start(x.data());
  lloyd.iterate(8, 0.0, nullptr);
  answers.centers = lloyd.centers();
  answers.labels = lloyd.labels();
  answers.inertia = lloyd.inertia(true);

  answers.predicted.resize(rows);
  predict_labels(data, x.data(), clusters, threads, answers.predicted.data(), nullptr);
  const std::int64_t candidates[] = {1, 5, 9, 13, 17, 21};
  answers.distances.resize(6 * rows);
  Seeding<T>(data, threads).distances(candidates, 6, nullptr, answers.distances.data(), nullptr);
  answers.finite = all_finite(x.data(), rows * cols, threads);
  answers.variances = column_spread(data.dense, x.data(), threads).variances;
  return answers;
}

template <class T>
void at_once() {
  const std::int64_t rows = 8000, cols = 55;
  const auto x = integers<T>(rows * cols, -9, 9, 1);
  const Answers<T> alone = compute(x, rows, cols, 1);
  CHECK(alone.finite, "integers");
  Answers<T> together[4];
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) callers.emplace_back([&, c] { together[c] = compute(x, rows, cols, 1 + c % 2); });
  for (std::thread& caller : callers) caller.join();
  for (int c = 0; c < 4; ++c) CHECK(together[c] == alone, "f" << 8 * sizeof(T) << " caller " << c);
}

}  // namespace

int main() {
  at_once<float>();
  at_once<double>();
  return check::result();
}
