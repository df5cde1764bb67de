// Vectors, transposition, packing and scratch of every level, against plain loops.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "runtime/memory.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/vector_operations.hpp"

using namespace fastml;

namespace {

constexpr int kMost = 16;  // lanes

template <class T>
bool same_bits(T a, T b) {
  return (a == b && std::signbit(a) == std::signbit(b)) || (a != a && b != b);
}

template <class T>
void loads_and_stores(SimdLevel level) {
  const auto& v = vector_operations<T>(level);
  const auto where = [&](int i) { return std::string(name(level)) + " at " + std::to_string(i); };
  Guarded<T> from_memory(kMost), to_memory(kMost);
  // One element before the end of the page is the address least aligned.
  T* from = from_memory.at_end(v.lanes);
  T* to = to_memory.at_end(v.lanes);
  for (int i = 0; i < v.lanes; ++i) from[i] = T(i) - T(3.5);
  v.load_store(from, to);
  for (int i = 0; i < v.lanes; ++i) CHECK_EQUAL(to[i], from[i], where(i));
  for (const T x : {T(1.25), T(-0.0), std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
    v.broadcast(x, to);
    for (int i = 0; i < v.lanes; ++i) CHECK(same_bits(to[i], x), where(i) << ": " << to[i] << " of " << x);
  }
  for (int count = 0; count <= v.lanes; ++count) {
    const T* tail = from_memory.at_end(count);
    v.load_partial(tail, count, T(9), to);
    for (int i = 0; i < v.lanes; ++i) CHECK_EQUAL(to[i], i < count ? tail[i] : T(9), where(i) << " count " << count);
    T* part = to_memory.at_end(count);
    v.store_partial(from, count, part);
    for (int i = 0; i < count; ++i) CHECK_EQUAL(part[i], from[i], where(i) << " count " << count);
  }
}

void widening(SimdLevel level) {
  const auto& v = vector_operations<double>(level);
  Guarded<float> from_memory(kMost);
  float* from = from_memory.at_end(v.lanes);
  std::vector<double> to(v.lanes);
  for (int i = 0; i < v.lanes; ++i) from[i] = 0.1F * float(i + 1);
  v.widen(from, to.data());
  for (int i = 0; i < v.lanes; ++i) CHECK_EQUAL(to[i], double(from[i]), name(level) << " lane " << i);
}

template <class T>
void comparisons_and_reductions(SimdLevel level) {
  const auto& v = vector_operations<T>(level);
  const int lanes = v.lanes;
  std::mt19937 random(7);
  std::uniform_int_distribution<int> small(-3, 3);
  std::vector<T> a(lanes), b(lanes), yes(lanes), no(lanes), to(lanes);
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < lanes; ++i) {
      a[i] = T(small(random));
      b[i] = T(small(random));
      yes[i] = T(10 + i);
      no[i] = T(-10 - i);
    }
    T sum = 0, least = a[0];
    bool less = false;
    for (int i = 0; i < lanes; ++i) {
      sum += a[i];
      least = a[i] < least ? a[i] : least;
      less = less || a[i] < b[i];
    }
    CHECK_EQUAL(v.reduce_add(a.data()), sum, name(level));
    CHECK_EQUAL(v.reduce_min(a.data()), least, name(level));
    CHECK_EQUAL(v.any_less(a.data(), b.data()), less, name(level));
    v.select_less(a.data(), b.data(), yes.data(), no.data(), to.data());
    for (int i = 0; i < lanes; ++i) CHECK_EQUAL(to[i], a[i] < b[i] ? yes[i] : no[i], name(level) << " lane " << i);
    v.minimum(a.data(), b.data(), to.data());
    for (int i = 0; i < lanes; ++i) CHECK_EQUAL(to[i], std::min(a[i], b[i]), name(level) << " lane " << i);
    v.maximum(a.data(), b.data(), to.data());
    for (int i = 0; i < lanes; ++i) CHECK_EQUAL(to[i], std::max(a[i], b[i]), name(level) << " lane " << i);
  }
  // One lane alone decides.
  for (int lane = 0; lane < lanes; ++lane) {
    std::fill(a.begin(), a.end(), T(1));
    std::fill(b.begin(), b.end(), T(1));
    CHECK(!v.any_less(a.data(), b.data()), name(level));
    a[lane] = T(-5);
    CHECK(v.any_less(a.data(), b.data()), name(level) << " lane " << lane);
    CHECK_EQUAL(v.reduce_min(a.data()), T(-5), name(level) << " lane " << lane);
    CHECK_EQUAL(v.reduce_add(a.data()), T(lanes - 6), name(level) << " lane " << lane);
  }
  // The second operand is the answer where the two do not compare.
  const T nan = std::numeric_limits<T>::quiet_NaN();
  std::fill(a.begin(), a.end(), nan);
  std::fill(b.begin(), b.end(), T(2));
  for (const auto operation : {v.minimum, v.maximum}) {
    operation(a.data(), b.data(), to.data());
    for (int i = 0; i < lanes; ++i) CHECK_EQUAL(to[i], T(2), name(level) << " NaN first, lane " << i);
    operation(b.data(), a.data(), to.data());
    for (int i = 0; i < lanes; ++i) CHECK(std::isnan(to[i]), name(level) << " NaN second, lane " << i);
  }
}

template <class T, class I>
void integer_lanes(SimdLevel level, const VectorOperations<T, I>& v) {
  std::vector<I> yes(v.lanes), no(v.lanes), to(v.lanes);
  std::vector<T> a(v.lanes), b(v.lanes, T(0));
  for (int i = 0; i < v.lanes; ++i) {
    a[i] = i % 3 == 0 ? T(-1) : T(1);
    yes[i] = std::numeric_limits<I>::max() - i;
    no[i] = std::numeric_limits<I>::min() + i;
  }
  v.select_integer_less(a.data(), b.data(), yes.data(), no.data(), to.data());
  for (int i = 0; i < v.lanes; ++i) CHECK_EQUAL(to[i], i % 3 == 0 ? yes[i] : no[i], name(level) << " lane " << i);
  for (const I x : {I(0), I(-1), I(123456789), std::numeric_limits<I>::max()}) {
    v.broadcast_integer(x, to.data());
    for (int i = 0; i < v.lanes; ++i) CHECK_EQUAL(to[i], x, name(level) << " lane " << i);
  }
}

template <class T>
void runs_cover_every_count(SimdLevel level) {
  const auto& v = vector_operations<T>(level);
  Guarded<T> from_memory(4 * kMost), to_memory(4 * kMost);
  for (int count = 0; count <= 3 * v.lanes + 1; ++count) {
    T* from = from_memory.at_end(count);
    T* to = to_memory.at_end(count);
    T sum = 0;
    for (int i = 0; i < count; ++i) {
      from[i] = T(i + 1);
      to[i] = T(-1);
      sum += from[i];
    }
    CHECK_EQUAL(v.copy_runs(from, count, to), sum, name(level) << " count " << count);
    for (int i = 0; i < count; ++i) CHECK_EQUAL(to[i], from[i], name(level) << " count " << count << " at " << i);
  }
}

template <class T>
void transposes(SimdLevel level) {
  const auto& v = vector_operations<T>(level);
  std::vector<T> from(v.lanes * v.lanes), to(v.lanes * v.lanes);
  for (int i = 0; i < v.lanes * v.lanes; ++i) from[i] = T(i);
  v.transpose(from.data(), to.data());
  for (int i = 0; i < v.lanes; ++i) {
    for (int j = 0; j < v.lanes; ++j) {
      CHECK_EQUAL(to[i * v.lanes + j], from[j * v.lanes + i], name(level) << " (" << i << ", " << j << ")");
    }
  }
}

// Source strides of a block of `rows` x `cols`: contiguous rows, contiguous columns, neither, backwards.
template <class T>
void copies_blocks(SimdLevel level) {
  const auto& v = vector_operations<T>(level);
  const int most = 2 * v.lanes + 1;
  Guarded<T> memory(4 * (2 * kMost + 4) * (2 * kMost + 4));
  std::vector<T> to;
  for (int rows = 0; rows <= most; ++rows) {
    for (int cols = 0; cols <= most; ++cols) {
      const struct {
        std::int64_t row_stride, col_stride;
      } strides[] = {{cols, 1},         {cols + 3, 1},    {1, rows},        {1, rows + 2}, {2, 2 * rows + 1},
                     {2 * cols + 1, 2}, {-(cols + 1), 1}, {1, -(rows + 1)}, {-1, rows}};
      for (const auto& stride : strides) {
        // The block ends with the page, whichever corner lies last; its first corner is `origin`.
        const std::int64_t down = stride.row_stride * (rows - 1), across = stride.col_stride * (cols - 1);
        const std::int64_t before = std::min<std::int64_t>(down, 0) + std::min<std::int64_t>(across, 0);
        const std::int64_t after = std::max<std::int64_t>(down, 0) + std::max<std::int64_t>(across, 0);
        T* origin = rows > 0 && cols > 0 ? memory.at_end(after - before + 1) - before : memory.at_end(0);
        for (int i = 0; i < rows; ++i) {
          for (int j = 0; j < cols; ++j) origin[i * stride.row_stride + j * stride.col_stride] = T(i * 100 + j);
        }
        const std::int64_t to_stride = cols + 2;
        to.assign(rows * to_stride, T(-1));
        v.copy_block(to.data(), to_stride, origin, stride.row_stride, stride.col_stride, rows, cols);
        bool right = true;
        for (int i = 0; i < rows; ++i) {
          for (int j = 0; j < to_stride; ++j) {
            right = right && to[i * to_stride + j] == (j < cols ? T(i * 100 + j) : T(-1));
          }
        }
        CHECK(right, name(level) << " " << rows << " x " << cols << " strides " << stride.row_stride << ", "
                                 << stride.col_stride);
      }
    }
  }
}

template <class T>
void scratch(SimdLevel level) {
  const auto& v = vector_operations<T>(level);
  constexpr std::int64_t line = kAlignment / sizeof(T);
  for (std::int64_t size = 0; size <= 3 * line; ++size) {
    CHECK(v.scratch_is_aligned(size), name(level) << " " << size);
    CHECK_EQUAL(v.padded(size), (size + line - 1) / line * line, name(level) << " " << size);
  }
}

template <class T>
void all_of(SimdLevel level) {
  CHECK_EQUAL(vector_operations<T>(level).lanes == 1, level == SimdLevel::scalar, name(level));
  loads_and_stores<T>(level);
  comparisons_and_reductions<T>(level);
  integer_lanes(level, vector_operations<T>(level));
  runs_cover_every_count<T>(level);
  transposes<T>(level);
  copies_blocks<T>(level);
  scratch<T>(level);
}

}  // namespace

int main() {
  for (const SimdLevel level : available_levels()) {
    all_of<float>(level);
    all_of<double>(level);
    widening(level);
  }
  return check::result();
}
