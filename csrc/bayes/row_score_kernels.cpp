#include "bayes/row_score_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE bayes::SparseScoreKernels<float, std::int32_t>
#define FASTML_TABLE_NAME sparse_score_table_f32_i32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::SparseScoreKernels<float, std::int32_t>& bayes::sparse_score_kernels<float, std::int32_t>(
    SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::sparse_score_table_f32_i32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::SparseScoreKernels<float, std::int64_t>
#define FASTML_TABLE_NAME sparse_score_table_f32_i64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::SparseScoreKernels<float, std::int64_t>& bayes::sparse_score_kernels<float, std::int64_t>(
    SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::sparse_score_table_f32_i64;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::SparseScoreKernels<double, std::int32_t>
#define FASTML_TABLE_NAME sparse_score_table_f64_i32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::SparseScoreKernels<double, std::int32_t>& bayes::sparse_score_kernels<double, std::int32_t>(
    SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::sparse_score_table_f64_i32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::SparseScoreKernels<double, std::int64_t>
#define FASTML_TABLE_NAME sparse_score_table_f64_i64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::SparseScoreKernels<double, std::int64_t>& bayes::sparse_score_kernels<double, std::int64_t>(
    SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::sparse_score_table_f64_i64;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::DenseScoreKernels<float>
#define FASTML_TABLE_NAME dense_score_table_f32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::DenseScoreKernels<float>& bayes::dense_score_kernels<float>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::dense_score_table_f32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::DenseScoreKernels<double>
#define FASTML_TABLE_NAME dense_score_table_f64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::DenseScoreKernels<double>& bayes::dense_score_kernels<double>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::dense_score_table_f64;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::DenseScoreKernels<std::int32_t>
#define FASTML_TABLE_NAME dense_score_table_i32
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::DenseScoreKernels<std::int32_t>& bayes::dense_score_kernels<std::int32_t>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::dense_score_table_i32;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::DenseScoreKernels<std::int64_t>
#define FASTML_TABLE_NAME dense_score_table_i64
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

template <>
const bayes::DenseScoreKernels<std::int64_t>& bayes::dense_score_kernels<std::int64_t>(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::dense_score_table_i64;
  }
}

#undef FASTML_TABLE_TYPE
#undef FASTML_TABLE_NAME
#define FASTML_TABLE_TYPE bayes::CategoryScoreKernels
#define FASTML_TABLE_NAME category_score_table
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const bayes::CategoryScoreKernels& bayes::category_score_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::category_score_table;
  }
}

}  // namespace fastml
