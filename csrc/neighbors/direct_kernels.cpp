#include "neighbors/direct_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE neighbors::DirectKernels<float>
#define FASTML_TABLE_NAME direct_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const neighbors::DirectKernels<float>& neighbors::direct_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::direct_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE neighbors::DirectKernels<double>
#define FASTML_TABLE_NAME direct_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const neighbors::DirectKernels<double>& neighbors::direct_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::direct_table_f64;
  }
}

}  // namespace fastml
