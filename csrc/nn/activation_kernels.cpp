#include "nn/activation_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE nn::ActivationKernels<float>
#define FASTML_TABLE_NAME activation_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::ActivationKernels<float>& nn::activation_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::activation_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE nn::ActivationKernels<double>
#define FASTML_TABLE_NAME activation_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::ActivationKernels<double>& nn::activation_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::activation_table_f64;
  }
}

}  // namespace fastml
