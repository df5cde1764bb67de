#include "tests/vector_operations.hpp"

#include "simd/copy_block.hpp"
#include "simd/decay.hpp"
#include "simd/math.hpp"
#include "simd/scratch.hpp"
#include "simd/transpose.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

template <class T>
ivec<T> load_integers(const Integer<T>* p) {
  ivec<T> v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}

template <class T>
void store_integers(Integer<T>* p, ivec<T> v) {
  std::memcpy(p, &v, sizeof(v));
}

template <class T, class Function>
FASTML_INLINE void map(const T* from, T* to, std::int64_t count, const Function& function) {
  std::int64_t i = 0;
  for (; i + kLanes<T> <= count; i += kLanes<T>) store(to + i, function(load(from + i)));
  const int left = int(count - i);
  store_partial(to + i, function(load_partial(from + i, left)), left);
}

template <class T>
constexpr typename VectorOperationsOf<T>::type table() {
  using I = Integer<T>;
  typename VectorOperationsOf<T>::type t{};
  t.lanes = kLanes<T>;
  t.load_store = [](const T* from, T* to) { store(to, load(from)); };
  t.widen = [](const float* from, double* to) { store(to, load_as<double>(from)); };
  t.broadcast = [](T x, T* to) { store(to, broadcast(x)); };
  t.broadcast_integer = [](I x, I* to) { store_integers<T>(to, broadcast_integer<T>(x)); };
  t.load_partial = [](const T* from, int count, T fill, T* to) { store(to, load_partial(from, count, fill)); };
  t.store_partial = [](const T* from, int count, T* to) { store_partial(to, load(from), count); };
  t.select_less = [](const T* a, const T* b, const T* yes, const T* no, T* to) {
    store(to, select<T>(load(a) < load(b), load(yes), load(no)));
  };
  t.select_integer_less = [](const T* a, const T* b, const I* yes, const I* no, I* to) {
    store_integers<T>(to, select_integer<T>(load(a) < load(b), load_integers<T>(yes), load_integers<T>(no)));
  };
  t.minimum = [](const T* a, const T* b, T* to) { store(to, minimum<T>(load(a), load(b))); };
  t.maximum = [](const T* a, const T* b, T* to) { store(to, maximum<T>(load(a), load(b))); };
  t.reduce_add = [](const T* from) { return reduce_add<T>(load(from)); };
  t.reduce_min = [](const T* from) { return reduce_min<T>(load(from)); };
  t.any_less = [](const T* a, const T* b) { return any<T>(load(a) < load(b)); };
  t.copy_runs = [](const T* from, std::int64_t count, T* to) {
    T sum = 0;
    for_each_run<kLanes<T>>(count, [&](auto width, std::int64_t i) {
      constexpr int N = decltype(width)::value;
      store_run<N>(to + i, load_run<N>(from + i));
      sum += sum_run<N, T>(load_run<N>(from + i));
    });
    return sum;
  };
  t.transpose = [](const T* from, T* to) {
    vec<T> rows[kLanes<T>];
    for (int i = 0; i < kLanes<T>; ++i) rows[i] = load(from + i * kLanes<T>);
    transpose<T>(rows);
    for (int i = 0; i < kLanes<T>; ++i) store(to + i * kLanes<T>, rows[i]);
  };
  t.copy_block = [](T* to, std::int64_t to_stride, const T* from, std::int64_t row_stride, std::int64_t col_stride,
                    std::int64_t rows,
                    std::int64_t cols) { copy_block(to, to_stride, from, row_stride, col_stride, rows, cols); };
  t.exp = [](const T* from, T* to, std::int64_t count) {
    map(from, to, count, [](vec<T> x) __attribute__((always_inline)) { return exp<T>(x); });
  };
  t.decay = [](const T* from, T* to, std::int64_t count) {
    map(from, to, count, [](vec<T> x) __attribute__((always_inline)) { return decay<T>(x); });
  };
  t.log = [](const T* from, T* to, std::int64_t count) {
    map(from, to, count, [](vec<T> x) __attribute__((always_inline)) { return log<T>(x); });
  };
  t.log1p_of_unit = [](const T* from, T* to, std::int64_t count) {
    map(from, to, count, [](vec<T> x) __attribute__((always_inline)) { return log1p_of_unit<T>(x); });
  };
  t.tanh = [](const T* from, T* to, std::int64_t count) {
    map(from, to, count, [](vec<T> x) __attribute__((always_inline)) { return tanh<T>(x); });
  };
  t.scratch_is_aligned = [](std::int64_t size) {
    Scratch<T> first(size), second(size);
    for (std::int64_t i = 0; i < size; ++i) first[i] = second[i] = T(i);
    return (reinterpret_cast<std::uintptr_t>(first.data()) | reinterpret_cast<std::uintptr_t>(second.data())) %
               kAlignment ==
           0;
  };
  t.padded = [](std::int64_t size) { return padded<T>(size); };
  return t;
}

}  // namespace

extern const VectorOperationsOf<float>::type vector_operations_f32;
extern const VectorOperationsOf<double>::type vector_operations_f64;
const VectorOperationsOf<float>::type vector_operations_f32 = table<float>();
const VectorOperationsOf<double>::type vector_operations_f64 = table<double>();

}  // namespace FASTML_LEVEL
}  // namespace fastml
