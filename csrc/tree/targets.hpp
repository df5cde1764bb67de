// What trees predict: class codes or numbers, checked once for all the trees of a forest.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml::tree {

// Borrows y: row-major, `outputs` numbers a sample. Class codes are whole numbers in [0, classes[k]).
struct Targets {
  const double* y = nullptr;
  std::int64_t samples = 0;
  std::int64_t outputs = 1;
  std::vector<std::int64_t> classes;  // one count for each output; empty for regression

  bool classification() const { return !classes.empty(); }
  std::int64_t most_classes() const {
    std::int64_t most = 1;
    for (const std::int64_t count : classes) most = count > most ? count : most;
    return most;
  }
  std::int64_t values() const { return outputs * most_classes(); }
  const double* row(std::int64_t i) const { return y + i * outputs; }

  // Whether all codes are in range. Reading other codes would leave the sums.
  bool valid() const {
    for (std::int64_t i = 0; classification() && i < samples; ++i) {
      for (std::int64_t k = 0; k < outputs; ++k) {
        const double code = row(i)[k];
        if (!(code >= 0 && code < double(classes[k]))) return false;
      }
    }
    return true;
  }
};

}  // namespace fastml::tree
