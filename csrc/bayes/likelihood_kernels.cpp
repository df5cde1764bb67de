#include "bayes/likelihood_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE bayes::LikelihoodKernels<float>
#define FASTML_TABLE_NAME likelihood_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::LikelihoodKernels<float>& bayes::likelihood_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::likelihood_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::LikelihoodKernels<double>
#define FASTML_TABLE_NAME likelihood_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::LikelihoodKernels<double>& bayes::likelihood_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::likelihood_table_f64;
  }
}

}  // namespace fastml
