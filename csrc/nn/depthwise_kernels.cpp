#include "nn/depthwise_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE nn::DepthwiseKernels<float>
#define FASTML_TABLE_NAME depthwise_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::DepthwiseKernels<float>& nn::depthwise_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::depthwise_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE nn::DepthwiseKernels<double>
#define FASTML_TABLE_NAME depthwise_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const nn::DepthwiseKernels<double>& nn::depthwise_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::depthwise_table_f64;
  }
}

}  // namespace fastml
