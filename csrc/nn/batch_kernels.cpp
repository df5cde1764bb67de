#include "nn/batches.hpp"

namespace fastml {

// A macro's argument may not hold another's directives, so that each pair of types is written out once.
#define FASTML_DECLARE_BATCH_TABLES_(level)                               \
  namespace level {                                                       \
  extern const nn::BatchKernels<float, float> batch_table_f32_f32;        \
  extern const nn::BatchKernels<float, double> batch_table_f32_f64;       \
  extern const nn::BatchKernels<double, float> batch_table_f64_f32;       \
  extern const nn::BatchKernels<double, double> batch_table_f64_f64;      \
  extern const nn::BatchKernels<std::uint8_t, float> batch_table_u8_f32;  \
  extern const nn::BatchKernels<std::uint8_t, double> batch_table_u8_f64; \
  }
FASTML_FOR_EACH_LEVEL(FASTML_DECLARE_BATCH_TABLES_)

#define FASTML_PICK_TABLES(From, To, name)                                         \
  template <>                                                                      \
  const nn::BatchKernels<From, To>& nn::batch_kernels<From, To>(SimdLevel level) { \
    switch (level) {                                                               \
      FASTML_FOR_EACH_LEVEL(FASTML_PICK_##name)                                    \
      default:                                                                     \
        return scalar::batch_table_##name;                                         \
    }                                                                              \
  }

#define FASTML_PICK_CASE_(level_name, table) \
  case SimdLevel::level_name:                \
    return level_name::table;
#define FASTML_PICK_f32_f32(level) FASTML_PICK_CASE_(level, batch_table_f32_f32)
#define FASTML_PICK_f32_f64(level) FASTML_PICK_CASE_(level, batch_table_f32_f64)
#define FASTML_PICK_f64_f32(level) FASTML_PICK_CASE_(level, batch_table_f64_f32)
#define FASTML_PICK_f64_f64(level) FASTML_PICK_CASE_(level, batch_table_f64_f64)
#define FASTML_PICK_u8_f32(level) FASTML_PICK_CASE_(level, batch_table_u8_f32)
#define FASTML_PICK_u8_f64(level) FASTML_PICK_CASE_(level, batch_table_u8_f64)

FASTML_PICK_TABLES(float, float, f32_f32)
FASTML_PICK_TABLES(float, double, f32_f64)
FASTML_PICK_TABLES(double, float, f64_f32)
FASTML_PICK_TABLES(double, double, f64_f64)
FASTML_PICK_TABLES(std::uint8_t, float, u8_f32)
FASTML_PICK_TABLES(std::uint8_t, double, u8_f64)

}  // namespace fastml
