// Sizes of the passes of a dense network.
#pragma once

#include <cstdint>

namespace fastml::nn {

// Rows of a chunk at most: what a batch is cut into, so that the sums of a batch (mostly one chunk) never leave the
// registers, and buffers stay in L2 and L3 with batches of any size.
inline constexpr std::int64_t kChunkRows = 512;

// Rows of a chunk of a prediction, for each thread.
inline constexpr std::int64_t kPredictRows = 168;

// Multiply-adds in float64 of a chunk for each thread, some 50 us of work; those in float32 count half. Two barriers of a
// team that is awake take 1 to 2 us, and rows and weights go from core to core, which takes several times as long where
// the cores share no cache. 64-100-10 in batches of 200 rows gains a third from a second thread (Zen 4, float64). Where
// other processes want the CPUs, too, a barrier may take a time slice, as in any parallel product: that network takes
// three times as long beside one of them.
inline constexpr double kChunkWorkPerThread = 1'500'000;

// CSR rows with more than this share of their values stored are made dense: a product of dense rows does some ten times
// as many multiply-adds in the same time.
inline constexpr double kDenseShare = 0.1;

}  // namespace fastml::nn
