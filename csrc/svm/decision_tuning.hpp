// Sizes and thresholds of kernel machines' decisions.
#pragma once

#include <cstdint>

namespace fastml::svm {

// Values of the kernel between their three passes: 16 KiB of doubles, half of L1.
inline constexpr std::int64_t kStripValues = 2048;

// Features of samples and support vectors that meet at a time. Where there are more, the products of a whole block of samples
// are summed up in L2, so that support vectors come from memory once for all of its tiles.
inline constexpr std::int64_t kDepth = 512;

// Bytes of support vectors, over these features, that meet one tile after the other: they stay in L2.
inline constexpr std::int64_t kPanelBytes = 256 << 10;

// Samples dealt to a thread at a time, at most: whole tiles of every level, 84 = lcm(4, 6, 14). And their bytes, where it is
// more than a tile of them.
inline constexpr std::int64_t kBlockSamples = 84;
inline constexpr std::int64_t kSampleBytes = 16 << 20;

// Sums of a block of samples, at most: 2 MiB of doubles.
inline constexpr std::int64_t kSumValues = 256 << 10;

// The same of sparse samples that meet all support vectors by their features, and of those whose values are given; they are
// weighed a strip at a time.
inline constexpr std::int64_t kIndexedSamples = 16;
inline constexpr std::int64_t kIndexedStrip = 4;
inline constexpr std::int64_t kGivenStrip = 4;

// Scalar operations that a value of the kernel takes besides its product.
inline constexpr double kValueWork = 40;

// |x - y|^2 as |x|^2 + |y|^2 - 2 x.y is off by some eps (|x|^2 + |y|^2), and the value of rbf by gamma times that, relatively.
// Up to this largest gamma |y|^2, about the centre of the support vectors, that is 1e-11; beyond it, differences are taken
// feature by feature, at half the speed. Samples that lie farther out than this bound have values near zero.
inline constexpr double kMostSpread = 1e4;

// Squared norms up to this cannot make a product overflow, nor infinities meet in a distance.
inline constexpr double kMostNorm = 1e290;

// Sparse support vectors of which this share is stored, or more, are made dense: adding a product to a scattered sum takes
// some four cycles, in which a dense product does 32 multiply-adds.
inline constexpr double kDenseShare = 0.18;

// A linear machine adds up its support vectors first where there are so many times more of them, and of samples, than sums.
inline constexpr std::int64_t kCollapseGain = 2;

}  // namespace fastml::svm
