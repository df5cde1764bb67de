#include "neighbors/brute_kernels.hpp"

namespace fastml {

#define FASTML_TABLE_TYPE neighbors::BruteKernels
#define FASTML_TABLE_NAME brute_table
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_ONE_TABLE_)

const neighbors::BruteKernels& neighbors::brute_kernels(SimdLevel level) {
  switch (level) {
    FASTML_FOR_EACH_LEVEL(FASTML_PICK_ONE_TABLE_)
    default:
      return scalar::brute_table;
  }
}

}  // namespace fastml
