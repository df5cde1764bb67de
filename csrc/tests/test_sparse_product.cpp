// Products of sparse rows with thin dense matrices, and transposition, against plain loops.
#include <random>
#include <string>
#include <vector>

#include "decomposition/product_kernels.hpp"
#include "decomposition/sparse_product.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::decomposition;

namespace {

// Rows of uneven lengths, some empty, indices out of order and repeated. Arrays end at an unmapped page.
template <class T, class Index>
struct Samples {
  std::int64_t rows, cols;
  std::vector<T> values;
  std::vector<Index> indices, offsets{0};
  Guarded<T> value_memory{1 << 16};
  Guarded<Index> index_memory{1 << 16}, offset_memory{1 << 14};

  Samples(std::int64_t rows_, std::int64_t cols_, unsigned seed) : rows(rows_), cols(cols_) {
    std::mt19937 random(seed);
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t length = i % 5 == 2 ? 0 : std::int64_t(random() % 12);
      for (std::int64_t p = 0; p < length; ++p) {
        values.push_back(T(int(random() % 19) - 9));
        indices.push_back(Index(random() % std::uint64_t(cols)));
      }
      offsets.push_back(Index(values.size()));
    }
  }

  SparseMatrix<T, Index> matrix() {
    return {value_memory.at_end(values), index_memory.at_end(indices), offset_memory.at_end(offsets), rows, cols};
  }
  std::int64_t stored() const { return std::int64_t(values.size()); }
};

// What values of y must be; sums of small integers are exact.
template <class T, class Index>
std::vector<T> plain_product(const SparseMatrix<T, Index>& a, const T* b, std::int64_t columns) {
  std::vector<T> y(a.rows * columns);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (Index p = a.offsets[i]; p < a.offsets[i + 1]; ++p) {
      for (std::int64_t k = 0; k < columns; ++k) y[i * columns + k] += a.values[p] * b[a.indices[p] * columns + k];
    }
  }
  return y;
}

// Every number of columns around the widths of vectors and pieces; nothing beyond them is read or written.
template <class T, class Index>
void kernels(SimdLevel level) {
  for (const std::int64_t columns : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 31, 33, 60, 63, 64, 65, 100, 129, 200}) {
    Samples<T, Index> samples(41, 17, unsigned(columns));
    const auto a = samples.matrix();
    const auto numbers = integers<T>(a.cols * columns, -9, 9, 5);
    Guarded<T> b_memory(a.cols * columns), y_memory(a.rows * columns);
    const T* b = b_memory.at_end(numbers);
    T* y = y_memory.at_end(a.rows * columns);
    const Rows<const T> right{b, a.cols, columns, columns};
    const Rows<T> out{y, a.rows, columns, columns};
    for (std::int64_t i = 0; i < a.rows * columns; ++i) y[i] = T(99);
    const std::int64_t middle = 19;
    for (const std::int64_t begin : {std::int64_t(0), middle}) {
      const std::int64_t end = begin == 0 ? middle : a.rows;
      if constexpr (sizeof(Index) == 4) {
        product_kernels<T>(level).narrow(a, begin, end, right, out);
      } else {
        product_kernels<T>(level).wide(a, begin, end, right, out);
      }
    }
    const auto expected = plain_product(a, b, columns);
    for (std::int64_t i = 0; i < a.rows * columns; ++i) {
      CHECK_EQUAL(y[i], expected[i], name(level) << " columns=" << columns << " element " << i);
    }
  }
}

// A row-major matrix inside of a wider one: the columns beyond are left alone.
template <class T>
void strides(SimdLevel level) {
  const std::int64_t columns = 21, stride = 32;
  Samples<T, std::int32_t> samples(30, 11, 3);
  const auto a = samples.matrix();
  const auto b = integers<T>(a.cols * stride, -9, 9, 5);
  std::vector<T> y(a.rows * stride, T(99)), packed(a.cols * columns);
  for (std::int64_t j = 0; j < a.cols; ++j) {
    for (std::int64_t k = 0; k < columns; ++k) packed[j * columns + k] = b[j * stride + k];
  }
  product_kernels<T>(level).narrow(a, 0, a.rows, {b.data(), a.cols, columns, stride},
                                   {y.data(), a.rows, columns, stride});
  const auto expected = plain_product(a, packed.data(), columns);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t k = 0; k < stride; ++k) {
      CHECK_EQUAL(y[i * stride + k], k < columns ? expected[i * columns + k] : T(99), name(level) << " strides");
    }
  }
}

bool yes() { return true; }

template <class T, class Index>
void drivers() {
  const std::int64_t columns = 37;
  Samples<T, Index> samples(4000, 300, 11);
  std::vector<T> numbers = normals<T>(300 * columns, 2);
  const Rows<const T> b{numbers.data(), 300, columns, columns};
  std::vector<T> values(samples.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = T(1) + T(i % 7) / T(3);
  const SparseMatrix<T, Index> a{values.data(), samples.indices.data(), samples.offsets.data(), 4000, 300};
  CHECK(are_offsets(a.offsets, a.rows, samples.stored()), "offsets");
  CHECK(!are_offsets(a.offsets, a.rows, samples.stored() - 1), "offsets beyond the values");

  std::vector<T> once(4000 * columns), shared(4000 * columns);
  CHECK(sparse_product(a, b, {once.data(), 4000, columns, columns}, 1, nullptr) == Outcome::done, "one thread");
  CHECK(sparse_product(a, b, {shared.data(), 4000, columns, columns}, 3, nullptr) == Outcome::done, "three threads");
  CHECK(once == shared, "threads change nothing");
  const auto expected = plain_product(a, b.data, columns);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK_CLOSE(once[i], expected[i], sizeof(T) == 4 ? 1e-4 : 1e-13, "element " << i);
  }
  CHECK(sparse_product(a, b, {shared.data(), 4000, columns, columns}, 2, yes) == Outcome::stopped, "stopped");

  for (const int threads : {1, 3}) {
    std::vector<T> turned(values.size());
    std::vector<Index> rows(values.size()), offsets(301);
    CHECK(transpose(a, turned.data(), rows.data(), offsets.data(), threads) == Outcome::done, "transpose");
    // A stable sort by column is what a transpose of rows in order is.
    std::vector<Index> next(301);
    for (const Index j : samples.indices) ++next[j + 1];
    for (std::int64_t j = 0; j < 300; ++j) next[j + 1] += next[j];
    CHECK(next == offsets, "offsets of the transpose");
    for (std::int64_t i = 0; i < a.rows; ++i) {
      for (Index p = a.offsets[i]; p < a.offsets[i + 1]; ++p) {
        const Index at = next[a.indices[p]]++;
        CHECK(rows[at] == Index(i) && turned[at] == values[p], "element " << at << " of the transpose");
      }
    }
  }

  for (const Index wrong : {Index(-1), Index(300)}) {
    std::vector<Index> indices = samples.indices;
    indices[indices.size() / 2] = wrong;
    const SparseMatrix<T, Index> bad{values.data(), indices.data(), samples.offsets.data(), 4000, 300};
    std::vector<T> turned(values.size());
    std::vector<Index> rows(values.size()), offsets(301);
    CHECK(sparse_product(bad, b, {shared.data(), 4000, columns, columns}, 2, nullptr) == Outcome::index_out_of_range,
          "index " << wrong);
    CHECK(transpose(bad, turned.data(), rows.data(), offsets.data(), 2) == Outcome::index_out_of_range,
          "index " << wrong);
  }
}

// No rows, no values, and a transpose that has rows without any.
void empty() {
  const std::vector<std::int32_t> none{0}, offsets{0, 0, 0};
  const double b[3] = {1, 2, 3};
  double y[2] = {9, 9};
  const SparseMatrix<double, std::int32_t> no_rows{nullptr, nullptr, none.data(), 0, 3};
  CHECK(sparse_product(no_rows, {b, 3, 1, 1}, {y, 0, 1, 1}, 2, nullptr) == Outcome::done, "no rows");
  CHECK_EQUAL(y[0], 9.0, "no rows");
  const SparseMatrix<double, std::int32_t> no_values{nullptr, nullptr, offsets.data(), 2, 3};
  CHECK(sparse_product(no_values, {b, 3, 1, 1}, {y, 2, 1, 1}, 2, nullptr) == Outcome::done, "no values");
  CHECK(y[0] == 0 && y[1] == 0, "no values");
  std::int32_t turned[4] = {7, 7, 7, 7};
  CHECK(transpose(no_values, static_cast<double*>(nullptr), static_cast<std::int32_t*>(nullptr), turned, 2) ==
            Outcome::done,
        "no values");
  for (const std::int32_t offset : turned) CHECK_EQUAL(offset, 0, "no values");
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    kernels<float, std::int32_t>(level);
    kernels<float, std::int64_t>(level);
    kernels<double, std::int32_t>(level);
    kernels<double, std::int64_t>(level);
    strides<float>(level);
    strides<double>(level);
  }
  at_each_level_in_a_child([](SimdLevel) {
    drivers<float, std::int32_t>();
    drivers<double, std::int64_t>();
  });
  drivers<float, std::int64_t>();
  drivers<double, std::int32_t>();
  empty();
  return check::result();
}
