#include "tests/vector_operations.hpp"

namespace fastml {

using VectorOperationsF32 = VectorOperationsOf<float>::type;
using VectorOperationsF64 = VectorOperationsOf<double>::type;

#define FASTML_TABLE_TYPE VectorOperationsF32
#define FASTML_TABLE_NAME vector_operations_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const VectorOperationsF32& vector_operations<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::vector_operations_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE VectorOperationsF64
#define FASTML_TABLE_NAME vector_operations_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const VectorOperationsF64& vector_operations<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::vector_operations_f64;
  }
}

}  // namespace fastml
