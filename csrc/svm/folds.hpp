// The random folds of LIBSVM's probabilities.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace fastml::svm {

inline constexpr int kFolds = 5;

// A permutation of `count` numbers, drawn as scikit-learn's LIBSVM draws it.
std::vector<std::int32_t> random_order(std::mt19937& generator, std::int32_t count);

}  // namespace fastml::svm
