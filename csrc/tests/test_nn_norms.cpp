// LayerNorm and BatchNorm at every level, against plain loops in long double. Arrays lie against an unmapped page.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "nn/channel_norm.hpp"
#include "nn/layer_norm.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

using Real = long double;

template <class T>
constexpr Real kUnit = std::numeric_limits<T>::epsilon();

// Mean, inverse, and what the backward pass is made of, of the values at some places of x.
struct Plain {
  std::vector<std::int64_t> at;
  Real mean = 0, variance = 0, inverse = 0;

  template <class T>
  Plain(const T* x, std::vector<std::int64_t> places, Real eps) : at(std::move(places)) {
    for (const std::int64_t i : at) mean += Real(x[i]) / Real(at.size());
    for (const std::int64_t i : at) variance += (x[i] - mean) * (x[i] - mean) / Real(at.size());
    inverse = 1 / std::sqrt(variance + eps);
  }
  template <class T>
  Real normal(const T* x, std::int64_t i) const {
    return (x[i] - mean) * inverse;
  }
  // dx of value i, where weight(i) is what its normal form is multiplied by.
  template <class T, class Weight>
  Real backward(const T* x, const T* dy, std::int64_t i, const Weight& weight) const {
    Real level = 0, slope = 0;
    for (const std::int64_t k : at) {
      level += dy[k] * weight(k) / Real(at.size());
      slope += dy[k] * weight(k) * normal(x, k) / Real(at.size());
    }
    return inverse * (dy[i] * weight(i) - level - normal(x, i) * slope);
  }
};

// Values far from 0: their variance would be lost in a difference of squares.
template <class T>
std::vector<T> shifted(std::int64_t size, unsigned seed) {
  std::vector<T> values = normals<T>(size, seed);
  for (T& v : values) v += T(50);
  return values;
}

// What values that are 50 times their deviation lose, times the number of terms of a sum.
template <class T>
Real tolerance(std::int64_t terms) {
  return kUnit<T> * 50 * (8 + Real(terms));
}

template <class T>
void layer_norms(const char* level) {
  constexpr std::int64_t most = 1 << 13;
  const T eps = T(1e-3);
  Guarded<T> at_x(most), at_dy(most), at_y(most), at_dx(most), at_weight(most), at_bias(most), at_rows(most),
      at_inverse(most), at_sums(most), at_bias_sums(most);
  for (const std::int64_t rows : {0, 1, 5, 67}) {
    for (const std::int64_t cols : {1, 2, 3, 7, 8, 16, 33, 100}) {
      const std::int64_t size = rows * cols;
      const T *x = at_x.at_end(shifted<T>(size, unsigned(cols))), *dy = at_dy.at_end(normals<T>(size, 2));
      const T *weight = at_weight.at_end(normals<T>(cols, 3)), *bias = at_bias.at_end(normals<T>(cols, 4));
      T *y = at_y.at_end(size), *dx = at_dx.at_end(size), *mean = at_rows.at_end(rows),
        *inverse = at_inverse.at_end(rows), *dweight = at_sums.at_end(cols), *dbias = at_bias_sums.at_end(cols);
      for (const int threads : {1, 3}) {
        layer_norm(rows, cols, x, weight, bias, eps, y, mean, inverse, threads);
        layer_norm_backward(rows, cols, x, mean, inverse, weight, dy, dx, dweight, dbias, threads);
        std::vector<Real> weight_sums(cols), bias_sums(cols);
        for (std::int64_t i = 0; i < rows; ++i) {
          std::vector<std::int64_t> row;
          for (std::int64_t j = 0; j < cols; ++j) row.push_back(i * cols + j);
          const Plain plain(x, row, eps);
          const Real off = tolerance<T>(0) * plain.inverse;
          CHECK_CLOSE(mean[i], plain.mean, 200 * kUnit<T>, level << " mean of a row of " << cols);
          CHECK_CLOSE(inverse[i], plain.inverse, 8 * kUnit<T> * plain.inverse, level << " inverse, cols " << cols);
          for (std::int64_t j = 0; j < cols; ++j) {
            const std::int64_t k = i * cols + j;
            CHECK_CLOSE(y[k], plain.normal(x, k) * weight[j] + bias[j], off * 4, level << " row of " << cols);
            const Real expected = plain.backward(x, dy, k, [&](std::int64_t at) { return weight[at % cols]; });
            CHECK_CLOSE(dx[k], expected, off * 20 * plain.inverse, level << " dx, cols " << cols);
            weight_sums[j] += dy[k] * plain.normal(x, k);
            bias_sums[j] += dy[k];
          }
        }
        for (std::int64_t j = 0; j < cols; ++j) {
          CHECK_CLOSE(dweight[j], weight_sums[j], tolerance<T>(rows) * 40, level << " dweight, rows " << rows);
          CHECK_CLOSE(dbias[j], bias_sums[j], tolerance<T>(rows), level << " dbias, rows " << rows);
        }
      }
      std::vector<T> again(dweight, dweight + cols);
      layer_norm_backward<T>(rows, cols, x, mean, inverse, weight, dy, nullptr, dweight, dbias, 3);
      for (std::int64_t j = 0; j < cols; ++j) CHECK_EQUAL(dweight[j], again[j], level << " without dx");
    }
  }
}

// With a ReLU the derivative passes where the result is positive; rounding may decide that otherwise than the plain loops.
template <class T>
void batch_norms(const char* level) {
  constexpr std::int64_t most = 1 << 15;
  const T eps = T(1e-3);
  Guarded<T> at_x(most), at_dy(most), at_y(most), at_dx(most), at_more(most), at_dmore(most);
  for (const std::int64_t rows : {1, 2, 9, 80, 1600}) {
    for (const std::int64_t channels : {1, 3, 8, 17}) {
      for (const int follows : {0, 1, 2}) {  // nothing; a ReLU; something is added, and a ReLU
        const bool relu = follows > 0, added = follows == 2;
        const std::int64_t size = rows * channels;
        const T *x = at_x.at_end(shifted<T>(size, unsigned(channels))), *dy = at_dy.at_end(normals<T>(size, 2));
        const std::vector<T> weight = normals<T>(channels, 3), bias = normals<T>(channels, 4);
        const T* more = added ? at_more.at_end(normals<T>(size, 7)) : nullptr;
        T *y = at_y.at_end(size), *dx = at_dx.at_end(size), *dmore = added ? at_dmore.at_end(size) : nullptr;
        for (const bool given : {false, true}) {
          std::vector<T> mean = shifted<T>(channels, 5), variance = normals<T>(channels, 6), inverse(channels);
          std::vector<T> dweight(channels), dbias(channels);
          for (T& v : variance) v = v * v + T(0.5);
          const std::vector<T> given_mean = mean, given_variance = variance;
          std::vector<T> first;
          for (const int threads : {1, 3}) {
            batch_norm(rows, channels, x, weight.data(), bias.data(), eps, given, more, relu, y, mean.data(),
                       variance.data(), inverse.data(), threads);
            batch_norm_backward(rows, channels, x, added ? y : nullptr, relu ? bias.data() : nullptr, mean.data(),
                                inverse.data(), weight.data(), given, dy, dx, dmore, dweight.data(), dbias.data(),
                                threads);
            std::vector<T> now(dx, dx + size);
            now.insert(now.end(), y, y + size);
            now.insert(now.end(), dweight.begin(), dweight.end());
            if (threads > 1) CHECK(now == first, level << " threads change results");
            first = now;
          }
          std::vector<T> dz(dy, dy + size);
          for (std::int64_t i = 0; i < size && relu; ++i) {
            dz[i] = y[i] > 0 ? dy[i] : T(0);
            if (added) CHECK_EQUAL(dmore[i], dz[i], level << " derivative by what is added");
          }
          for (std::int64_t c = 0; c < channels; ++c) {
            std::vector<std::int64_t> places;
            for (std::int64_t i = c; i < size; i += channels) places.push_back(i);
            Plain plain(x, places, eps);
            if (given) {
              CHECK_EQUAL(mean[c], given_mean[c], level << " a mean that was given");
              CHECK_EQUAL(variance[c], given_variance[c], level << " a variance that was given");
              plain.mean = mean[c];
              plain.inverse = 1 / std::sqrt(Real(variance[c]) + eps);
            } else {
              CHECK_CLOSE(mean[c], plain.mean, 200 * kUnit<T>, level << " mean");
              CHECK_CLOSE(variance[c], plain.variance, 16 * kUnit<T> * (plain.variance + 1e-3L), level << " variance");
            }
            const Real off = tolerance<T>(0) * plain.inverse;
            Real weight_sum = 0, bias_sum = 0;
            for (const std::int64_t i : places) {
              Real value = plain.normal(x, i) * weight[c] + bias[c];
              if (relu) value = std::max(value + (added ? more[i] : T(0)), Real(0));
              CHECK_CLOSE(y[i], value, off * 4, level << " channels " << channels);
              const Real expected = given ? dz[i] * weight[c] * plain.inverse
                                          : plain.backward(x, dz.data(), i, [&](std::int64_t) { return weight[c]; });
              CHECK_CLOSE(dx[i], expected, off * 20 * plain.inverse, level << " dx, rows " << rows);
              weight_sum += dz[i] * plain.normal(x, i);
              bias_sum += dz[i];
            }
            CHECK_CLOSE(dweight[c], weight_sum, tolerance<T>(rows) * 4 * plain.inverse, level << " dweight");
            CHECK_CLOSE(dbias[c], bias_sum, tolerance<T>(rows), level << " dbias");
          }
        }
      }
    }
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    layer_norms<float>(name(level));
    layer_norms<double>(name(level));
    batch_norms<float>(name(level));
    batch_norms<double>(name(level));
  });
  return check::result();
}
