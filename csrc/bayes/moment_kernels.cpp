#include "bayes/moment_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE bayes::MomentKernels<float>
#define FASTML_TABLE_NAME moment_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::MomentKernels<float>& bayes::moment_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::moment_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::MomentKernels<double>
#define FASTML_TABLE_NAME moment_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::MomentKernels<double>& bayes::moment_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::moment_table_f64;
  }
}

}  // namespace fastml
