#include "tree/gini_bounds.hpp"

#define FASTML_TABLE_TYPE tree::GiniBoundKernels
#define FASTML_TABLE_NAME gini_bound_table

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

namespace tree {

const GiniBoundKernels& gini_bound_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::gini_bound_table;
  }
}

}  // namespace tree
}  // namespace fastml
