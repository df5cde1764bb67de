// Matrix products touch no memory but their operands': each operand lies against an unmapped page, at its end or start.
#include <limits>

#include "gemm/gemm.hpp"
#include "gemm/tuning.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"

using namespace fastml;

namespace {

void multiply(SimdLevel level, const GemmArguments<float>& g) { gemm_kernels(level).f32(g); }
void multiply(SimdLevel level, const GemmArguments<double>& g) { gemm_kernels(level).f64(g); }

template <class T>
struct Pages {
  Guarded<T> a{1 << 20}, b{1 << 20}, c{1 << 20};
};

// A of ones, B of twos: every element of C is 2 k, beside the fault that this test is about.
template <class T>
void multiply_between_pages(SimdLevel level, Pages<T>& pages, std::int64_t m, std::int64_t n, std::int64_t k,
                            int threads) {
  for (int form = 0; form < 16; ++form) {
    const bool transpose_a = form & 1, transpose_b = form & 2, transpose_c = form & 4, at_end = form & 8;
    T* a = at_end ? pages.a.at_end(m * k) : pages.a.at_start();
    T* b = at_end ? pages.b.at_end(k * n) : pages.b.at_start();
    T* c = at_end ? pages.c.at_end(m * n) : pages.c.at_start();
    for (std::int64_t i = 0; i < m * k; ++i) a[i] = T(1);
    for (std::int64_t i = 0; i < k * n; ++i) b[i] = T(2);
    for (std::int64_t i = 0; i < m * n; ++i) c[i] = std::numeric_limits<T>::quiet_NaN();
    multiply(level, {m, n, k, T(1), a, transpose_a ? 1 : k, transpose_a ? m : 1, b, transpose_b ? 1 : n,
                     transpose_b ? k : 1, T(0), c, transpose_c ? 1 : n, transpose_c ? m : 1, threads});
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < m * n; ++i) wrong += !(c[i] == T(2 * k));
    CHECK_EQUAL(wrong, 0,
                name(level) << " f" << 8 * sizeof(T) << " m=" << m << " n=" << n << " k=" << k << " form " << form
                            << " threads " << threads);
  }
}

template <class T>
void all_of(SimdLevel level) {
  Pages<T> pages;
  for (std::int64_t m = 1; m <= 34; m += m < 18 ? 1 : 5) {
    for (std::int64_t n = 1; n <= 67; n += n < 36 ? 1 : 3) {
      for (const std::int64_t k : {1, 3, 18}) multiply_between_pages(level, pages, m, n, k, 1);
    }
  }
  multiply_between_pages(level, pages, kGemmRows + 5, 70, kGemmDepth + 3, 1);
  multiply_between_pages(level, pages, 3, kGemmCols + 5, 30, 2);
  multiply_between_pages(level, pages, 303, 41, 95, 2);
  multiply_between_pages(level, pages, 41, 303, 95, 2);
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    all_of<float>(level);
    all_of<double>(level);
  }
  return check::result();
}
