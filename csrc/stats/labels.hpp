// Integer labels to the numbers of their classes.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml {

// Integers are numbered by a table while their range is no wider than this many times their count.
inline constexpr std::int64_t kWidestTable = 4;

// Writes the place of each of `count` labels, 1 at least, among the sorted different ones, which are returned. Returns none
// where their range is too wide for a table.
std::vector<std::int64_t> number_labels(const std::int64_t* labels, std::int64_t count, std::int64_t* codes);

}  // namespace fastml
