// Reproducible numbers for tests.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace fastml {

// Integers in [least, most], as T. Sums of products of small integers are exact in f32 and f64 and do not depend on the order
// of summation: results can be compared for equality, and ties are plenty.
template <class T>
std::vector<T> integers(std::int64_t count, int least, int most, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> value(least, most);
  std::vector<T> values(count);
  for (T& x : values) x = T(value(random));
  return values;
}

template <class T>
std::vector<T> normals(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> value;
  std::vector<T> values(count);
  for (T& x : values) x = T(value(random));
  return values;
}

}  // namespace fastml
