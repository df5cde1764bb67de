#include "tree/small_sort.hpp"

#define FASTML_TABLE_TYPE tree::SmallSortKernels
#define FASTML_TABLE_NAME small_sort_table

namespace fastml {

FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

namespace tree {

const SmallSortKernels& small_sort_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::small_sort_table;
  }
}

}  // namespace tree
}  // namespace fastml
