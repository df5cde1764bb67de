// Chunk sizes of the kernels of naive Bayes, each with the reason behind it.
#pragma once

#include <cstdint>

namespace fastml::bayes {

// Terms of a score, or values added up, between two looks for Ctrl-C: some milliseconds on one core.
inline constexpr std::int64_t kChunkWork = 1 << 22;

// Rows of a class whose mean its values are shifted by before they are summed: any number close to the mean does.
inline constexpr int kShiftRows = 16;

// Where the correction for the rest of the mean is larger than this many times what it leaves, the sums are taken once more
// about the mean itself: they lost a bit or two.
inline constexpr double kMostCorrection = 4;

// Rows that another thread is worth, at least.
inline constexpr std::int64_t kRowsPerThread = 32;

// Bytes of the sums of all classes that are added to at a time, so that they stay in L2; rows are read again for each such
// panel of features, from the block of rows below.
inline constexpr std::int64_t kSumBytes = 1 << 18;
inline constexpr std::int64_t kBlockBytes = 1 << 18;

}  // namespace fastml::bayes
