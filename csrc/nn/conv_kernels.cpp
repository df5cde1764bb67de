#include "nn/conv_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE nn::ConvKernels<float>
#define FASTML_TABLE_NAME conv_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::ConvKernels<float>& nn::conv_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::conv_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE nn::ConvKernels<double>
#define FASTML_TABLE_NAME conv_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::ConvKernels<double>& nn::conv_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::conv_table_f64;
  }
}

}  // namespace fastml
