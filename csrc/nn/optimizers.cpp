#include "nn/optimizers.hpp"

#include <algorithm>
#include <vector>

namespace fastml::nn {
namespace {

// Elements of a run: what one call of a kernel gets. Pieces are cut into runs of it from their first element on, by however
// many threads, so that sums and results do not depend on their number. A few runs keep a thread busy for longer than the
// loops around them take.
constexpr std::int64_t kRun = 4096;

// Where each piece's runs begin in the count of all runs, and that count at the end.
template <class T>
std::vector<std::int64_t> run_begins(Pieces<T> pieces) {
  std::vector<std::int64_t> begins(pieces.count + 1, 0);
  for (std::int64_t p = 0; p < pieces.count; ++p) begins[p + 1] = begins[p] + (pieces.pieces[p].size + kRun - 1) / kRun;
  return begins;
}

// Calls apply(run, gradients, offset, n) for every run, consecutive ones on the same thread.
template <class T, class Apply>
void for_each_run_of(Pieces<T> pieces, const std::vector<std::int64_t>& begins, int threads, const Apply& apply) {
  const std::int64_t runs = begins.back();
  threads = int(std::max<std::int64_t>(std::min<std::int64_t>(threads, runs), 1));
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const std::int64_t end = runs * (t + 1) / threads;
    std::int64_t run = runs * t / threads;
    std::int64_t p = std::upper_bound(begins.begin(), begins.end(), run) - begins.begin() - 1;
    for (; run < end; ++run) {
      while (run >= begins[p + 1]) ++p;
      const Piece<T>& piece = pieces.pieces[p];
      const std::int64_t begin = (run - begins[p]) * kRun;
      apply(run, piece.gradients + begin, piece.offset + begin, std::min(kRun, piece.size - begin));
    }
  }
}

template <class T>
T* shifted(T* state, std::int64_t offset) {
  return state == nullptr ? nullptr : state + offset;
}

}  // namespace

template <class T>
void sgd_step(const SgdStep& step, Pieces<T> pieces, T* parameters, T* velocity, int threads) {
  const auto kernel = optimizer_kernels<T>().sgd;
  for_each_run_of(pieces, run_begins(pieces), threads, [&](std::int64_t, const T* g, std::int64_t at, std::int64_t n) {
    kernel(n, step, parameters + at, g, shifted(velocity, at));
  });
}

template <class T>
void adagrad_step(const AdagradStep& step, Pieces<T> pieces, T* parameters, T* sum, int threads) {
  const auto kernel = optimizer_kernels<T>().adagrad;
  for_each_run_of(pieces, run_begins(pieces), threads, [&](std::int64_t, const T* g, std::int64_t at, std::int64_t n) {
    kernel(n, step, parameters + at, g, sum + at);
  });
}

template <class T>
void rmsprop_step(const RmspropStep& step, Pieces<T> pieces, T* parameters, T* square, T* mean, T* velocity,
                  int threads) {
  const auto kernel = optimizer_kernels<T>().rmsprop;
  for_each_run_of(pieces, run_begins(pieces), threads, [&](std::int64_t, const T* g, std::int64_t at, std::int64_t n) {
    kernel(n, step, parameters + at, g, square + at, shifted(mean, at), shifted(velocity, at));
  });
}

template <class T>
void adam_step(const AdamStep& step, Pieces<T> pieces, T* parameters, T* mean, T* square, T* largest_square,
               int threads) {
  const auto kernel = optimizer_kernels<T>().adam;
  for_each_run_of(pieces, run_begins(pieces), threads, [&](std::int64_t, const T* g, std::int64_t at, std::int64_t n) {
    kernel(n, step, parameters + at, g, mean + at, square + at, shifted(largest_square, at));
  });
}

template <class T>
double squared_norm(Pieces<T> pieces, int threads) {
  const auto kernel = optimizer_kernels<T>().squared_norm;
  const auto begins = run_begins(pieces);
  std::vector<double> sums(begins.back());
  for_each_run_of(pieces, begins, threads,
                  [&](std::int64_t run, const T* g, std::int64_t, std::int64_t n) { sums[run] = kernel(n, g); });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

template <class T>
void scale(Pieces<T> pieces, double factor, int threads) {
  const auto kernel = optimizer_kernels<T>().scale;
  for_each_run_of(pieces, run_begins(pieces), threads,
                  [&](std::int64_t, T* g, std::int64_t, std::int64_t n) { kernel(n, factor, g); });
}

template <class T>
void clip(Pieces<T> pieces, double most, int threads) {
  const auto kernel = optimizer_kernels<T>().clip;
  for_each_run_of(pieces, run_begins(pieces), threads,
                  [&](std::int64_t, T* g, std::int64_t, std::int64_t n) { kernel(n, most, g); });
}

#define FASTML_INSTANTIATE(T)                                                        \
  template void sgd_step<T>(const SgdStep&, Pieces<T>, T*, T*, int);                 \
  template void adagrad_step<T>(const AdagradStep&, Pieces<T>, T*, T*, int);         \
  template void rmsprop_step<T>(const RmspropStep&, Pieces<T>, T*, T*, T*, T*, int); \
  template void adam_step<T>(const AdamStep&, Pieces<T>, T*, T*, T*, T*, int);       \
  template double squared_norm<T>(Pieces<T>, int);                                   \
  template void scale<T>(Pieces<T>, double, int);                                    \
  template void clip<T>(Pieces<T>, double, int);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace fastml::nn
