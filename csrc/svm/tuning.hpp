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

// Cycles that a value takes: to read a feature of a sample from L3, to multiply it with one of another in a batch, and e^x
// with all the rest.
inline constexpr double kCyclesToRead = 0.8;
inline constexpr double kCyclesOfProduct = 1.0 / 16;
inline constexpr double kCyclesOfValue = 12;

// Guesses of rows between two looks at how many of them were used.
inline constexpr int kGuessesToJudge = 128;

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

// Steps between two questions whether to stop; after every batch of rows there is one, too.
inline constexpr std::int64_t kStepsBetweenChecks = 32;

// How often a thread that has no task left looks at whether the others have, before it sleeps in between.
inline constexpr int kLooksWithoutSleep = 1000;

}  // namespace fastml::svm
