// Chunk sizes and thresholds of counts and scores of discrete naive Bayes, each with the reason behind it.
#pragma once

#include <cstdint>

namespace fastml::bayes {

// Values that a thread adds up, or stored values that it scatters, in 20 us or more: below that another thread costs
// more than it brings.
inline constexpr std::int64_t kValuesPerThread = 100'000;

// Each thread has sums of its own as long as there are this many values for each of them: making, clearing and adding
// them up then costs little beside the values.
inline constexpr std::int64_t kValuesPerSum = 8;

// Terms of scores, a load and an addition each, that another thread is worth.
inline constexpr std::int64_t kTermsPerThread = 100'000;

// Features of a panel at least, two cache lines of doubles: less of a row at a time would be read a line at a time.
inline constexpr std::int64_t kLeastPanel = 16;

}  // namespace fastml::bayes
