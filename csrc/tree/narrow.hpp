// Doubles to floats, for trees, which test floats only.
#pragma once

#include <cstdint>

namespace fastml::tree {

// narrow[i] = float(wide[i]), rounded to nearest. Returns whether all of them are finite.
bool narrow(const double* wide, std::int64_t count, int threads, float* narrow);

}  // namespace fastml::tree
