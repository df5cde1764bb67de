#include "decomposition/product_kernels.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using decomposition::SparseMatrix;

// Vectors of a row of y that are summed at once: half of the registers of most levels.
constexpr int kMostVectors = 8;

// A few sums for each vector, taken in turn, where there are few vectors: an addition takes four cycles, and the next one
// into the same register waits for it.
constexpr int sums_each(int vectors) { return vectors >= 4 ? 1 : 4 / vectors; }

// The sums of a row of a over `Vectors` vectors of N elements, which begin at column `first` of b one after the other, but
// for the last, which begins at `last` and may overlap the one before it.
template <int Vectors, int N, class T, class Index>
FASTML_INLINE void multiply_row(const SparseMatrix<T, Index>& a, std::int64_t row, Rows<const T> b, T* y,
                                std::int64_t first, std::int64_t last) {
  using Vector = typename VectorOf<T, N>::type;
  constexpr int kSums = sums_each(Vectors);
  Vector sums[kSums][Vectors] = {};
  const auto add = [&](Vector* to, Index p) __attribute__((always_inline)) {
    const Vector value = a.values[p] - Vector{};
    const T* from = b.data + std::int64_t(a.indices[p]) * b.stride;
    for (int v = 0; v + 1 < Vectors; ++v) to[v] += value * load_run<N>(from + first + v * N);
    to[Vectors - 1] += value * load_run<N>(from + last);
  };
  Index p = a.offsets[row];
  const Index end = a.offsets[row + 1];
  for (; end - p >= kSums; p += kSums) {
    for (int s = 0; s < kSums; ++s) add(sums[s], p + s);
  }
  for (; p < end; ++p) add(sums[0], p);
  for (int v = 0; v < Vectors; ++v) {
    Vector sum = sums[0][v];
    for (int s = 1; s < kSums; ++s) sum += sums[s][v];
    store_run<N>(y + (v + 1 < Vectors ? first + v * N : last), sum);
  }
}

// Columns from `first` on, by `vectors` vectors, 1 to Vectors.
template <int Vectors, int N, class T, class Index>
FASTML_INLINE void multiply_vectors(int vectors, const SparseMatrix<T, Index>& a, std::int64_t row, Rows<const T> b,
                                    T* y, std::int64_t first, std::int64_t last) {
  if constexpr (Vectors > 1) {
    if (vectors < Vectors) return multiply_vectors<Vectors - 1, N>(vectors, a, row, b, y, first, last);
  }
  multiply_row<Vectors, N>(a, row, b, y, first, last);
}

template <class T, class Index>
void multiply(const SparseMatrix<T, Index>& a, std::int64_t begin, std::int64_t end, Rows<const T> b, Rows<T> y) {
  constexpr int lanes = kLanes<T>;
  for (std::int64_t i = begin; i < end; ++i) {
    T* to = y.data + i * y.stride;
    if (b.cols < lanes) {
      for_each_run<lanes>(b.cols, [&](auto width, std::int64_t j) __attribute__((always_inline)) {
        multiply_row<1, decltype(width)::value>(a, i, b, to, j, j);
      });
      continue;
    }
    std::int64_t first = 0;
    for (; b.cols - first > kMostVectors * lanes; first += kMostVectors * lanes) {
      multiply_row<kMostVectors, lanes>(a, i, b, to, first, first + (kMostVectors - 1) * lanes);
    }
    const int vectors = int((b.cols - first + lanes - 1) / lanes);
    multiply_vectors<kMostVectors, lanes>(vectors, a, i, b, to, first, b.cols - lanes);
  }
}

}  // namespace

extern const decomposition::ProductKernels<float> product_table_f32;
extern const decomposition::ProductKernels<double> product_table_f64;
const decomposition::ProductKernels<float> product_table_f32{multiply<float, std::int32_t>,
                                                             multiply<float, std::int64_t>};
const decomposition::ProductKernels<double> product_table_f64{multiply<double, std::int32_t>,
                                                              multiply<double, std::int64_t>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
