// Matrix products of every level against three plain loops: shapes, block edges, layouts, factors, threads.
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "gemm/gemm.hpp"
#include "gemm/tuning.hpp"
#include "tests/check.hpp"
#include "tests/matrices.hpp"
#include "tests/samples.hpp"

using namespace fastml;

namespace {

void multiply(SimdLevel level, const GemmArguments<float>& g) { gemm_kernels(level).f32(g); }
void multiply(SimdLevel level, const GemmArguments<double>& g) { gemm_kernels(level).f64(g); }

template <class T>
constexpr T kNan = std::numeric_limits<T>::quiet_NaN();

// Instrumented code is up to 50 times slower: it runs fewer depths and layouts.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const std::vector<std::int64_t> kDepths = {1, 3, 17};
const std::vector<Layout> kOperandLayouts = {Layout::padded_rows, Layout::columns, Layout::columns_backwards};
#else
const std::vector<std::int64_t> kDepths = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 40};
const std::vector<Layout> kOperandLayouts(std::begin(kLayouts), std::end(kLayouts));
#endif

// The product in double: a is m x k, b is k x n, both row-major.
template <class T>
std::vector<double> plain_product(std::int64_t m, std::int64_t n, std::int64_t k, const std::vector<T>& a,
                                  const std::vector<T>& b) {
  std::vector<double> c(m * n, 0.0);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t p = 0; p < k; ++p) {
      for (std::int64_t j = 0; j < n; ++j) c[i * n + j] += double(a[i * k + p]) * double(b[p * n + j]);
    }
  }
  return c;
}

template <class T>
struct Shape {
  SimdLevel level;
  std::int64_t m, n, k;
  T alpha;
  T beta;
  int threads;
};
template <class T>
std::ostream& operator<<(std::ostream& out, const Shape<T>& s) {
  return out << name(s.level) << " f" << 8 * sizeof(T) << " m=" << s.m << " n=" << s.n << " k=" << s.k
             << " alpha=" << s.alpha << " beta=" << s.beta << " threads=" << s.threads;
}

// Multiplies and compares for equality with alpha * product + beta * old; `product` has rows of `product_cols`.
template <class T>
void check_product(const Shape<T>& s, Matrix<T>& a, Matrix<T>& b, Matrix<T>& c, const std::vector<double>& product,
                   std::int64_t product_cols, const std::vector<T>& old, const std::string& layouts) {
  multiply(s.level, {s.m, s.n, s.k, s.alpha, a.data(), a.row_stride(), a.col_stride(), b.data(), b.row_stride(),
                     b.col_stride(), s.beta, c.data(), c.row_stride(), c.col_stride(), s.threads});
  std::int64_t wrong = 0, wrong_row = 0, wrong_col = 0;
  for (std::int64_t i = 0; i < s.m; ++i) {
    for (std::int64_t j = 0; j < s.n; ++j) {
      double expected = double(s.alpha) * product[i * product_cols + j];
      if (s.beta != 0) expected += double(s.beta) * double(old[i * s.n + j]);
      if (!(double(c.at(i, j)) == expected) && wrong++ == 0) {
        wrong_row = i;
        wrong_col = j;
      }
    }
  }
  CHECK(wrong == 0, s << " " << layouts << ": " << wrong << " wrong, first (" << wrong_row << ", " << wrong_col << ")");
  CHECK(c.untouched_outside(s.m, s.n), s << " " << layouts << ": written outside of C");
}

// Every shape up to some tiles: the leading parts of one product, so that its reference is computed once a depth.
template <class T>
void tail_sizes(SimdLevel level) {
  constexpr std::int64_t most = 40;
  for (const std::int64_t k : kDepths) {
    const auto a_values = integers<T>(most * k, -8, 8, 1);
    const auto b_values = integers<T>(k * most, -8, 8, 2);
    const auto product = plain_product(most, most, k, a_values, b_values);
    Matrix<T> a(Layout::rows, most, k, kNan<T>, a_values);
    Matrix<T> b(Layout::rows, k, most, kNan<T>, b_values);
    for (std::int64_t m = 1; m <= most; ++m) {
      for (std::int64_t n = 1; n <= most; ++n) {
        Matrix<T> c(Layout::padded_rows, m, n, kNan<T>);
        check_product<T>({level, m, n, k, 1, 0, 1}, a, b, c, product, most, {}, "");
      }
    }
  }
}

// Operands of one size and their product, to be multiplied in many ways.
template <class T>
struct Operands {
  std::int64_t m, n, k;
  std::vector<T> a = integers<T>(m * k, -4, 4, 3), b = integers<T>(k * n, -4, 4, 4), c = integers<T>(m * n, -4, 4, 5);
  std::vector<double> product = plain_product(m, n, k, a, b);
};

template <class T>
struct Way {
  T alpha, beta;
  int threads;
};

template <class T>
void check_way(SimdLevel level, const Operands<T>& o, const Way<T>& way, Layout a_layout, Layout b_layout,
               Layout c_layout) {
  Matrix<T> a(a_layout, o.m, o.k, kNan<T>, o.a);
  Matrix<T> b(b_layout, o.k, o.n, kNan<T>, o.b);
  // With beta = 0, C is all NaN and must not be read.
  Matrix<T> c(c_layout, o.m, o.n, kNan<T>, way.beta == 0 ? std::vector<T>{} : o.c);
  check_product<T>({level, o.m, o.n, o.k, way.alpha, way.beta, way.threads}, a, b, c, o.product, o.n, o.c,
                   std::string("A ") + name(a_layout) + ", B " + name(b_layout) + ", C " + name(c_layout));
}

template <class T>
void layouts(SimdLevel level) {
  const Operands<T> shapes[] = {{1, 1, 1}, {1, 37, 9}, {35, 1, 6}, {15, 33, 17}, {29, 66, 3}};
  for (const Operands<T>& o : shapes) {
    for (const Layout a : kOperandLayouts) {
      for (const Layout b : kOperandLayouts) {
        for (const Layout c : kLayouts) {
          check_way<T>(level, o, {1, 0, 1}, a, b, c);
          check_way<T>(level, o, {T(-2), T(0.5), 1}, a, b, c);
        }
      }
    }
  }
}

template <class T>
void factors(SimdLevel level) {
  for (const std::int64_t n : {5, 32, 45}) {
    // More than one block along k, too: beta must count once.
    for (const std::int64_t k : {19, kGemmDepth + 3}) {
      const Operands<T> o{15, n, k};
      for (const T alpha : {T(1), T(0), T(-1), T(0.25)}) {
        for (const T beta : {T(0), T(1), T(-2), T(0.5)}) {
          for (const Layout c : {Layout::rows, Layout::columns, Layout::strided}) {
            check_way<T>(level, o, {alpha, beta, 1}, Layout::rows, Layout::rows, c);
          }
        }
      }
    }
  }
}

// Sizes around the edges of packed blocks, by each route to them.
template <class T>
void block_edges(SimdLevel level) {
  const auto by_each_layout = [&](const Operands<T>& o) {
    for (const Layout a : {Layout::rows, Layout::columns}) {
      for (const Layout b : {Layout::rows, Layout::columns}) {
        check_way<T>(level, o, {1, 0, 1}, a, b, Layout::padded_rows);
        check_way<T>(level, o, {1, 1, 1}, a, b, Layout::rows);
      }
    }
  };
  for (const std::int64_t k : {kGemmDepth - 1, kGemmDepth, kGemmDepth + 1, 2 * kGemmDepth + 1}) {
    by_each_layout({3, 33, k});
    by_each_layout({17, 7, k});
    by_each_layout({17, 70, k});
  }
  for (const std::int64_t m : {kGemmRows - 1, kGemmRows, kGemmRows + 1, 2 * kGemmRows + 3}) {
    by_each_layout({m, 70, 41});
    by_each_layout({m, 5, 600});
  }
  for (const std::int64_t n : {kGemmCols - 1, kGemmCols, kGemmCols + 1, kGemmCols + 40}) {
    by_each_layout({3, n, 7});
    by_each_layout({18, n, 5});
  }
  by_each_layout({kGemmRows + 9, 45, kGemmDepth + 5});
}

// Nothing to multiply: C is scaled, or cleared without being read.
template <class T>
void empty_products(SimdLevel level) {
  const Operands<T> shapes[] = {{5, 9, 0}, {0, 9, 4}, {5, 0, 4}, {0, 0, 0}};
  for (const Operands<T>& o : shapes) {
    for (const Layout c : kLayouts) {
      check_way<T>(level, o, {1, 0, 2}, Layout::rows, Layout::rows, c);
      check_way<T>(level, o, {1, T(0.5), 2}, Layout::rows, Layout::rows, c);
    }
  }
}

template <class T>
void threads(SimdLevel level) {
  const Operands<T> shapes[] = {{400, 50, 80},   {50, 400, 80},  {2000, 3, 200}, {3, 2000, 200},
                                {129, 131, 127}, {1, 3000, 600}, {20, 20, 20}};
  for (const Operands<T>& o : shapes) {
    for (const int count : {1, 2, 3, 7}) {
      check_way<T>(level, o, {1, 0, count}, Layout::rows, Layout::rows, Layout::padded_rows);
      check_way<T>(level, o, {T(2), T(-1), count}, Layout::columns, Layout::padded_columns, Layout::columns);
      check_way<T>(level, o, {1, 1, count}, Layout::rows_backwards, Layout::columns_backwards, Layout::strided);
    }
  }
}

// Numbers that do not sum exactly: each element's error is below the classic bound k u |a| |b|.
template <class T>
void rounding(SimdLevel level) {
  for (const std::int64_t k : {10, 300, 1500}) {
    const std::int64_t m = 31, n = 45;
    const auto a = normals<T>(m * k, 6), b = normals<T>(k * n, 7);
    const auto product = plain_product(m, n, k, a, b);
    std::vector<T> a_size(a), b_size(b), c(m * n, kNan<T>);
    for (T& x : a_size) x = std::abs(x);
    for (T& x : b_size) x = std::abs(x);
    const auto size = plain_product(m, n, k, a_size, b_size);
    multiply(level, {m, n, k, T(1), a.data(), k, 1, b.data(), n, 1, T(0), c.data(), n, 1, 2});
    const double unit = double(std::numeric_limits<T>::epsilon()) / 2;
    // The reference, in double itself, has the same bound where T is double.
    for (std::int64_t i = 0; i < m * n; ++i) {
      CHECK_CLOSE(c[i], product[i], 2 * double(k) * unit * size[i], name(level) << " k=" << k << " element " << i);
    }
  }
}

// A NaN or infinity of A or B reaches every element of its row or column, and no other.
template <class T>
void not_finite(SimdLevel level) {
  const std::int64_t m = 17, n = 37, k = 20;
  for (const T odd : {kNan<T>, std::numeric_limits<T>::infinity()}) {
    auto a = integers<T>(m * k, 1, 3, 8), b = integers<T>(k * n, 1, 3, 9);
    a[5 * k + 7] = odd;
    b[3 * n + 30] = odd;
    std::vector<T> c(m * n);
    multiply(level, {m, n, k, T(1), a.data(), k, 1, b.data(), n, 1, T(0), c.data(), n, 1, 1});
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        CHECK_EQUAL(std::isfinite(c[i * n + j]), i != 5 && j != 30, name(level) << " (" << i << ", " << j << ")");
      }
    }
  }
}

template <class T>
void all_of(SimdLevel level) {
  tail_sizes<T>(level);
  layouts<T>(level);
  factors<T>(level);
  block_edges<T>(level);
  empty_products<T>(level);
  threads<T>(level);
  rounding<T>(level);
  not_finite<T>(level);
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    all_of<float>(level);
    all_of<double>(level);
  }
  return check::result();
}
