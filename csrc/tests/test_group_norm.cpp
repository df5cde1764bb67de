// GroupNorm at every level, against plain loops in long double. Arrays lie against an unmapped page.
#include <cmath>
#include <limits>
#include <vector>

#include "nn/group_norm.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

using Real = long double;

constexpr std::int64_t kMost = 1 << 17;

// Values far from 0: their variance would be lost in a difference of squares.
template <class T>
std::vector<T> shifted(std::int64_t size, unsigned seed) {
  std::vector<T> values = normals<T>(size, seed);
  for (T& v : values) v += T(50);
  return values;
}

template <class T>
void group_norms(const char* level) {
  const T eps = T(1e-3);
  // What values that are 50 times their deviation lose.
  const Real unit = 50 * std::numeric_limits<T>::epsilon();
  Guarded<T> at_x(kMost), at_dy(kMost), at_y(kMost), at_dx(kMost), at_weight(kMost), at_bias(kMost), at_mean(kMost),
      at_inverse(kMost), at_dweight(kMost), at_dbias(kMost);
  const std::vector<std::vector<std::int64_t>> widths{{1, 1}, {6, 1}, {6, 2}, {6, 6}, {32, 4}, {35, 5}, {40, 8}};
  for (const std::int64_t samples : {0, 1, 2, 5}) {
    for (const std::int64_t positions : {1, 3, 25, 600}) {
      for (const auto& width : widths) {
        const Groups shape{samples, positions, width[0], width[1]};
        const std::int64_t size = samples * positions * shape.channels;
        const T *x = at_x.at_end(shifted<T>(size, 1)), *dy = at_dy.at_end(normals<T>(size, 2));
        const T *weight = at_weight.at_end(normals<T>(shape.channels, 3)),
                *bias = at_bias.at_end(normals<T>(shape.channels, 4));
        T *y = at_y.at_end(size), *dx = at_dx.at_end(size), *mean = at_mean.at_end(samples * shape.groups),
          *inverse = at_inverse.at_end(samples * shape.groups), *dweight = at_dweight.at_end(shape.channels),
          *dbias = at_dbias.at_end(shape.channels);
        std::vector<T> first_dx, first_dweight;
        for (const int threads : {1, 3}) {
          group_norm(shape, x, weight, bias, eps, y, mean, inverse, threads);
          group_norm_backward(shape, x, mean, inverse, weight, dy, dx, dweight, dbias, threads);
          const std::vector<T> now_dx(dx, dx + size), now_dweight(dweight, dweight + shape.channels);
          if (threads > 1) {
            CHECK(now_dx == first_dx, level << " threads change dx");
            CHECK(now_dweight == first_dweight, level << " threads change dweight");
          }
          first_dx = now_dx;
          first_dweight = now_dweight;
        }
        group_norm_backward<T>(shape, x, mean, inverse, weight, dy, nullptr, dweight, dbias, 2);
        CHECK(std::vector<T>(dweight, dweight + shape.channels) == first_dweight, level << " without dx");
        std::vector<Real> weight_sums(shape.channels), bias_sums(shape.channels);
        for (std::int64_t n = 0; n < samples; ++n) {
          for (std::int64_t g = 0; g < shape.groups; ++g) {
            std::vector<std::int64_t> places;
            for (std::int64_t i = n * positions * shape.channels; i < (n + 1) * positions * shape.channels; ++i) {
              if (i % shape.channels / shape.group_size() == g) places.push_back(i);
            }
            const Real count = Real(places.size());
            Real center = 0, variance = 0, level_sum = 0, slope = 0;
            for (const std::int64_t i : places) center += x[i] / count;
            for (const std::int64_t i : places) variance += (x[i] - center) * (x[i] - center) / count;
            const Real by = 1 / std::sqrt(variance + eps);
            CHECK_CLOSE(mean[n * shape.groups + g], center, 4 * unit, level << " mean");
            CHECK_CLOSE(inverse[n * shape.groups + g], by, unit * by, level << " inverse");
            const auto normal = [&](std::int64_t i) { return (x[i] - center) * by; };
            for (const std::int64_t i : places) {
              const std::int64_t c = i % shape.channels;
              level_sum += dy[i] * weight[c] / count;
              slope += dy[i] * weight[c] * normal(i) / count;
              weight_sums[c] += dy[i] * normal(i);
              bias_sums[c] += dy[i];
            }
            for (const std::int64_t i : places) {
              const std::int64_t c = i % shape.channels;
              CHECK_CLOSE(y[i], normal(i) * weight[c] + bias[c], 40 * unit * by, level << " y");
              const Real expected = by * (dy[i] * weight[c] - level_sum - normal(i) * slope);
              CHECK_CLOSE(dx[i], expected, 200 * unit * by * by, level << " dx, positions " << positions);
            }
          }
        }
        for (std::int64_t c = 0; c < shape.channels; ++c) {
          // Of one value the variance is 0, and the inverse 1 / sqrt(eps) enlarges what is lost.
          const Real by = positions * shape.group_size() == 1 ? 1 / std::sqrt(Real(eps)) : 10;
          CHECK_CLOSE(dweight[c], weight_sums[c], 40 * unit * by * Real(positions), level << " dweight");
          CHECK_CLOSE(dbias[c], bias_sums[c], 4 * unit * Real(positions), level << " dbias");
        }
      }
    }
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    group_norms<float>(name(level));
    group_norms<double>(name(level));
  });
  return check::result();
}
