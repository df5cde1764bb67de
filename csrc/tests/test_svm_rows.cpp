// Rows of the kernel matrix at every level, against plain loops: dense, sparse and given; whole, in parts, and shared.
#include <cmath>
#include <string>
#include <vector>

#include "svm/kernel_rows.hpp"
#include "svm/row_kernels.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::svm;

namespace {

const Kernel kKernels[] = {{KernelKind::linear, 0, 0, 0},   {KernelKind::poly, 0, 0.5, 1},
                           {KernelKind::poly, 3, 0.1, 0.5}, {KernelKind::rbf, 0, 0.2, 0},
                           {KernelKind::rbf, 0, 0.0, 0},    {KernelKind::sigmoid, 0, 0.1, -0.3}};

double value_of(const Kernel& kernel, const double* x, const double* y, std::int64_t features) {
  double dot = 0, distance = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    dot += x[f] * y[f];
    distance += (x[f] - y[f]) * (x[f] - y[f]);
  }
  switch (kernel.kind) {
    case KernelKind::poly:
      return std::pow(kernel.gamma * dot + kernel.coef0, kernel.degree);
    case KernelKind::rbf:
      return std::exp(-kernel.gamma * distance);
    case KernelKind::sigmoid:
      return std::tanh(kernel.gamma * dot + kernel.coef0);
    default:
      return dot;
  }
}

std::vector<double> normal(std::int64_t count, unsigned seed) {
  std::vector<double> values = integers<double>(count, -1000, 1000, seed);
  for (double& v : values) v *= 1e-3;
  return values;
}

double norm(const double* x, std::int64_t features) {
  double sum = 0;
  for (std::int64_t f = 0; f < features; ++f) sum += x[f] * x[f];
  return sum;
}

void kernels_of_dense_rows(SimdLevel level) {
  const RowKernels& kernels = row_kernels(level);
  const std::int64_t panel = kernels.panel_cols;
  CHECK(panel > 0 && kRowBlock % panel == 0, name(level));
  Guarded<float> out_f32(1 << 12);
  Guarded<double> out_f64(1 << 12), guarded_samples(1 << 14);
  for (const std::int64_t features : {std::int64_t(1), std::int64_t(3), std::int64_t(64), std::int64_t(515)}) {
    for (const std::int64_t columns : {std::int64_t(1), panel - 1, panel, panel + 3, kRowBlock, kRowBlock + 5}) {
      if (columns < 1) continue;
      const std::int64_t whole = (columns + panel - 1) / panel * panel;
      const auto y = normal(columns * features, 1);
      std::vector<double> panels(whole * features), norms(whole);
      for (std::int64_t c = 0; c < columns; ++c) {
        norms[c] = norm(&y[c * features], features);
        for (std::int64_t f = 0; f < features; ++f)
          panels[c / panel * panel * features + f * panel + c % panel] = y[c * features + f];
      }
      for (int count = 1; count <= kernels.most_samples; ++count) {
        const auto x = normal(count * features, 2);
        const double* samples = guarded_samples.at_end(x);
        std::vector<double> x_norms, block(count * kRowBlock);
        for (int i = 0; i < count; ++i) x_norms.push_back(norm(&x[i * features], features));
        const Kernel& kernel = kKernels[(count + columns) % std::int64_t(std::size(kKernels))];
        const DenseRows rows{samples,      count, x_norms.data(), features,    panels.data(),
                             norms.data(), 0,     columns,        block.data()};
        // The last row ends where the memory ends; the others share a row before it.
        std::vector<float> other_f32(columns);
        std::vector<double> other_f64(columns);
        for (int shown = 0; shown < count; ++shown) {
          std::vector<float*> to_f32(count, other_f32.data());
          std::vector<double*> to_f64(count, other_f64.data());
          to_f32[shown] = out_f32.at_end(columns);
          to_f64[shown] = out_f64.at_end(columns);
          kernels.dense_f32(kernel, rows, to_f32.data());
          kernels.dense_f64(kernel, rows, to_f64.data());
          for (std::int64_t c = 0; c < columns; ++c) {
            const double expected = value_of(kernel, &x[shown * features], &y[c * features], features);
            // Sums of so many products of numbers below 1, and e^x, to a few units in the last place.
            const double tolerance = 1e-14 * (1 + std::fabs(expected)) * double(features + 8);
            CHECK_CLOSE(to_f64[shown][c], expected, tolerance, name(level) << " " << features << " " << count);
            CHECK_EQUAL(to_f32[shown][c], float(to_f64[shown][c]), name(level) << " float");
          }
        }
      }
    }
  }
}

struct Data {
  std::vector<double> dense, values, given;
  std::vector<std::int32_t> indices, offsets{0};
  std::int64_t rows, features;

  Data(std::int64_t rows_, std::int64_t features_, const Kernel& kernel) : rows(rows_), features(features_) {
    dense = normal(rows * features, 7);
    const auto kept = integers<double>(rows * features, 0, 2, 8);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t f = 0; f < features; ++f) {
        double& v = dense[i * features + f];
        if (kept[i * features + f] != 0 || i == 3) v = 0;  // row 3 is empty
        if (v == 0) continue;
        values.push_back(v);
        indices.push_back(std::int32_t(f));
      }
      offsets.push_back(std::int32_t(values.size()));
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < rows; ++j)
        given.push_back(value_of(kernel, &dense[i * features], &dense[j * features], features));
    }
  }

  Samples samples(int form, Kernel kernel) const {
    Samples result{};
    result.is_sparse = form == 1;
    if (form == 1) result.sparse = {values.data(), indices.data(), offsets.data(), rows, features};
    if (form == 0) result.dense = {dense.data(), rows, features, features};
    if (form == 2) {
      result.dense = {given.data(), rows, rows, rows};
      kernel.kind = KernelKind::precomputed;
    }
    result.kernel = kernel;
    return result;
  }
};

// Two classes of interleaved samples, whose own values are shared by two problems.
void rows_of_parts(SimdLevel level) {
  for (const Kernel& kernel : kKernels) {
    const Data data(61, 13, kernel);
    for (int form = 0; form < 3; ++form) {
      const Samples samples = data.samples(form, kernel);
      const SampleNorms norms(samples);
      std::vector<std::int32_t> even, odd;
      for (std::int32_t i = 0; i < data.rows; ++i) (i % 2 == 0 ? even : odd).push_back(i);
      const SampleBlock first(samples, norms, even), second(samples, norms, odd);
      OwnRows own(first.count(), std::int64_t(1) << 20), none(second.count(), 0);
      std::vector<std::int32_t> order = even;
      order.insert(order.end(), odd.begin(), odd.end());
      for (int round = 0; round < 2; ++round) {
        KernelRows rows(samples, norms, {{&first, &own}, {&second, &none}}, 2);
        CHECK_EQUAL(rows.columns(), data.rows, name(level));
        std::vector<double> diagonal(data.rows);
        rows.diagonal(diagonal.data());
        std::vector<float> values(rows.batch() * data.rows);
        std::vector<double> exact(rows.batch() * data.rows);
        for (std::int32_t c = 0; c < data.rows; c += rows.batch()) {
          std::vector<std::int32_t> columns, wanted;
          std::vector<float*> to;
          std::vector<double*> exact_to;
          for (std::int32_t i = 0; i < rows.batch() && c + i < data.rows; ++i) {
            columns.push_back(c + i);
            wanted.push_back(order[c + i]);
            to.push_back(values.data() + i * data.rows);
            exact_to.push_back(exact.data() + i * data.rows);
          }
          rows.compute(columns.data(), int(columns.size()), to.data());
          rows.compute_for(wanted.data(), int(wanted.size()), exact_to.data());
          for (std::size_t i = 0; i < columns.size(); ++i) {
            for (std::int64_t k = 0; k < data.rows; ++k) {
              const double expected = data.given[order[columns[i]] * data.rows + order[k]];
              CHECK_CLOSE(exact_to[i][k], expected, 1e-13, name(level) << " form " << form);
              CHECK_CLOSE(to[i][k], expected, 6e-8 * (1 + std::fabs(expected)), name(level) << " form " << form);
            }
            CHECK_CLOSE(diagonal[columns[i]], exact_to[i][columns[i]], 1e-13, name(level) << " diagonal " << form);
          }
        }
      }
      for (std::int64_t m = 0; m < first.count(); ++m) CHECK(own.find(m) != nullptr, name(level) << " kept " << form);
      for (std::int64_t m = 0; m < second.count(); ++m) CHECK(none.find(m) == nullptr, "no room");
    }
  }
}

// However long samples are, and however many features are added up, each is at distance 0 from itself and its doubles.
void distances_of_equals(SimdLevel level) {
  for (const std::int64_t features : {std::int64_t(1), std::int64_t(7), std::int64_t(33), std::int64_t(700)}) {
    auto x = normals<double>(11 * features, unsigned(features));
    for (double& v : x) v *= 1e12;
    std::copy_n(x.begin(), features, x.begin() + 5 * features);
    Samples samples{};
    samples.dense = {x.data(), 11, features, features};
    samples.kernel = {KernelKind::rbf, 0, 1.0, 0};
    SampleNorms norms(samples);
    const SampleBlock block(samples, norms, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    KernelRows rows(samples, norms, {{&block}}, 1);
    std::vector<float> values(11);
    float* to = values.data();
    for (std::int32_t i = 0; i < 11; ++i) {
      rows.compute(&i, 1, &to);
      for (std::int32_t j = 0; j < 11; ++j) {
        const bool equal = i == j || (i + j == 5 && i * j == 0);
        CHECK_EQUAL(values[j], equal ? 1.0f : 0.0f, name(level) << " " << features << ": " << i << ", " << j);
      }
    }
  }
}

// Samples a million times farther from the origin than from each other.
void far_from_the_origin(SimdLevel level) {
  constexpr std::int64_t kRows = 20, kFeatures = 5;
  auto x = integers<double>(kRows * kFeatures, -8, 8, 5);
  for (double& v : x) v = 1e8 + v / 8;
  Samples samples{};
  samples.dense = {x.data(), kRows, kFeatures, kFeatures};
  samples.kernel = {KernelKind::rbf, 0, 0.3, 0};
  const SampleNorms norms(samples);
  CHECK_EQUAL(norms.center.size(), std::size_t(kFeatures), "centred");
  std::vector<std::int32_t> all;
  for (std::int32_t i = 0; i < kRows; ++i) all.push_back(i);
  const SampleBlock block(samples, norms, all);
  KernelRows rows(samples, norms, {{&block}}, 1);
  std::vector<float> values(kRows);
  float* to = values.data();
  for (std::int32_t i = 0; i < kRows; ++i) {
    rows.compute(&i, 1, &to);
    for (std::int32_t j = 0; j < kRows; ++j) {
      const double expected = value_of(samples.kernel, &x[i * kFeatures], &x[j * kFeatures], kFeatures);
      CHECK_CLOSE(values[j], expected, 1e-6, name(level));  // the mean is off by some 1e-8
    }
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    rows_of_parts(level);
    distances_of_equals(level);
    far_from_the_origin(level);
  });
  for (const SimdLevel level : available_levels()) kernels_of_dense_rows(level);
  return check::result();
}
