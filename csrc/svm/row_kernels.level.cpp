// Rows of the kernel matrix at one SIMD level: products by the micro-kernel, values of a block while it is in cache.
#include "svm/row_kernels.hpp"

#include "gemm/microkernel.hpp"
#include "svm/kernel_values.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using svm::DenseRows;
using svm::kRowBlock;

constexpr int kPanel = kTileCols<double>;
static_assert(kRowBlock % kPanel == 0);

// Features of a pass over the panels of a block: as many rows of samples stay in L2, and a panel's in L1.
constexpr std::int64_t kDepth = 512;

// Features between two prefetches of what comes a panel later.
constexpr std::int64_t kPrefetchDepth = 64;
constexpr std::int64_t kLineDoubles = 8;

FASTML_INLINE void store_values(float* out, vec<double> values) {
  typedef float Floats __attribute__((vector_size(kLanes<double> * sizeof(float))));
  typedef float Unaligned
      __attribute__((vector_size(kLanes<double> * sizeof(float)), aligned(alignof(float)), may_alias));
  if constexpr (kLanes<double> == 1) {
    *out = float(values[0]);
  } else {
    *reinterpret_cast<Unaligned*>(out) = __builtin_convertvector(values, Floats);
  }
}
FASTML_INLINE void store_values(double* out, vec<double> values) { store(out, values); }

template <class Out>
void values(const Kernel& kernel, const double* dots, double norm, const double* norms, std::int64_t count, Out* out) {
  with_kernel(kernel, norm, [&](auto value) __attribute__((always_inline)) {
    std::int64_t k = 0;
    for (; k + kLanes<double> <= count; k += kLanes<double>) {
      store_values(out + k, value(load(dots + k), load(norms + k)));
    }
    if (k < count) {
      const int rest = int(count - k);
      const vec<double> last = value(load_partial(dots + k, rest), load_partial(norms + k, rest));
      for (int i = 0; i < rest; ++i) out[k + i] = Out(last[i]);
    }
  });
}

// block[i][j] (+)= products of the samples with those of one panel, over features [first, first + depth).
template <int Count>
FASTML_INLINE void add_products(const DenseRows& rows, std::int64_t first, std::int64_t depth, const double* panel,
                                double* block) {
  vec<double> sums[Count][kTileVectors];
#pragma GCC unroll 16
  for (int i = 0; i < Count; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j)
      sums[i][j] = first == 0 ? vec<double>{} : load(block + i * kRowBlock + j * kLanes<double>);
  }
  // What lies as far on as a panel is read next: the cores' own prefetching stops at each page.
  const std::int64_t ahead = rows.depth * kPanel;
  for (std::int64_t done = 0; done < depth; done += kPrefetchDepth) {
    const std::int64_t run = depth - done < kPrefetchDepth ? depth - done : kPrefetchDepth;
    const double* from = panel + (first + done) * kPanel;
    for (std::int64_t line = 0; line < run * kPanel; line += kLineDoubles)
      __builtin_prefetch(from + ahead + line, 0, 2);
    multiply_tile<double, Count, kTileVectors>(run, DirectRows<double>{rows.samples + first + done, rows.depth}, from,
                                               kPanel, sums);
  }
#pragma GCC unroll 16
  for (int i = 0; i < Count; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j) store(block + i * kRowBlock + j * kLanes<double>, sums[i][j]);
  }
}

template <class Out>
void dense(const Kernel& kernel, const DenseRows& rows, Out* const* out) {
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += kRowBlock) {
    const std::int64_t end = begin + kRowBlock < rows.end ? begin + kRowBlock : rows.end;
    with_rows<kTileRows>(rows.count, [&](auto height) __attribute__((always_inline)) {
      std::int64_t first = 0;
      do {
        const std::int64_t depth = rows.depth - first < kDepth ? rows.depth - first : kDepth;
        for (std::int64_t j = begin; j < end; j += kPanel) {
          add_products<decltype(height)::value>(rows, first, depth, rows.panels + j * rows.depth,
                                                rows.block + (j - begin));
        }
        first += depth;
      } while (first < rows.depth);
    });
    for (int i = 0; i < rows.count; ++i) {
      values(kernel, rows.block + i * kRowBlock, rows.norms[i], rows.panel_norms + begin, end - begin, out[i] + begin);
    }
  }
}

// What multiply_tile does to a sum: one rounding where the level has fused multiply-add, else two.
FASTML_INLINE double add_square(double sum, double v) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fma(v, v, sum);
#else
  return sum + v * v;
#endif
}

void norms(const double* x, std::int64_t stride, std::int64_t count, std::int64_t depth, const double* center,
           double* norms) {
  constexpr int kAtOnce = 4;  // rows: each waits for its sum
  for (std::int64_t i = 0; i < count; i += kAtOnce) {
    const int rows = int(count - i < kAtOnce ? count - i : kAtOnce);
    double sums[kAtOnce] = {};
    for (std::int64_t f = 0; f < depth; ++f) {
      const double shift = center == nullptr ? 0.0 : center[f];
      for (int r = 0; r < rows; ++r) sums[r] = add_square(sums[r], x[(i + r) * stride + f] - shift);
    }
    for (int r = 0; r < rows; ++r) norms[i + r] = sums[r];
  }
}

}  // namespace

extern const svm::RowKernels svm_row_table;
const svm::RowKernels svm_row_table{kTileRows, kPanel,        dense<float>,  dense<double>,
                                    norms,     values<float>, values<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
