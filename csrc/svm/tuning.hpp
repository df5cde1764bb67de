// Thresholds of support vector machines, each with the reason behind it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastml::svm {

// Multiply-adds that a value of the kernel counts as besides its product: e^x, the rounding, its store.
inline constexpr std::int64_t kWorkOfValue = 16;

// Multiply-adds of a batch of rows that each thread must have before another one is worth waking: batches come one by one, with
// steps between them in which the team falls asleep. 3000 x 20, two threads: 34 ms with 200,000, 26 ms on one thread.
inline constexpr std::int64_t kRowWorkPerThread = 2'000'000;

// Of the memory for kept rows, what values within classes may take: they are a part of every row, and serve all pairs.
inline constexpr double kShareOfOwnRows = 0.4;

// Rows that are kept however little memory is allowed: those of a step, and a batch.
inline constexpr std::int64_t kLeastKeptRows = 8;

// Memory for kept rows is taken in pieces of about this size: a few large pages.
inline constexpr std::int64_t kSlabBytes = 8 << 20;

// Memory for rows that stays for the next fit: new pages are zeroed by the system, which takes longer than most rows do.
inline constexpr std::size_t kKeptAfterFit = std::size_t(64) << 20;

// Rows are narrowed to the variables that are left where these are fewer than this share of those they have.
inline constexpr double kWorthNarrowing = 0.6;

// Rows that are added up between two questions whether to stop.
inline constexpr std::size_t kRowsBetweenChecks = 64;

// Steps between two questions whether to stop.
inline constexpr std::int64_t kStepsBetweenChecks = 512;

}  // namespace fastml::svm
