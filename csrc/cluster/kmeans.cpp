#include "cluster/kmeans.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE KMeansKernels<float>
#define FASTML_TABLE_NAME kmeans_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const KMeansKernels<float>& kmeans_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::kmeans_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE KMeansKernels<double>
#define FASTML_TABLE_NAME kmeans_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const KMeansKernels<double>& kmeans_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::kmeans_table_f64;
  }
}

}  // namespace fastml
