#include "nn/optimizers.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE nn::OptimizerKernels<float>
#define FASTML_TABLE_NAME optimizer_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::OptimizerKernels<float>& nn::optimizer_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::optimizer_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE nn::OptimizerKernels<double>
#define FASTML_TABLE_NAME optimizer_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::OptimizerKernels<double>& nn::optimizer_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::optimizer_table_f64;
  }
}

}  // namespace fastml
