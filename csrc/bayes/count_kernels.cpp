#include "bayes/count_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE bayes::CountKernels<float>
#define FASTML_TABLE_NAME count_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::CountKernels<float>& bayes::count_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::count_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::CountKernels<double>
#define FASTML_TABLE_NAME count_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::CountKernels<double>& bayes::count_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::count_table_f64;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::CountKernels<std::int32_t>
#define FASTML_TABLE_NAME count_table_i32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::CountKernels<std::int32_t>& bayes::count_kernels<std::int32_t>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::count_table_i32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::CountKernels<std::int64_t>
#define FASTML_TABLE_NAME count_table_i64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::CountKernels<std::int64_t>& bayes::count_kernels<std::int64_t>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::count_table_i64;
  }
}

}  // namespace fastml
