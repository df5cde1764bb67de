#include "stats/labels.hpp"

#include <algorithm>

namespace fastml {

std::vector<std::int64_t> number_labels(const std::int64_t* labels, std::int64_t count, std::int64_t* codes) {
  std::int64_t least = labels[0], largest = labels[0];
  for (std::int64_t i = 1; i < count; ++i) {
    least = std::min(least, labels[i]);
    largest = std::max(largest, labels[i]);
  }
  // Unsigned: the difference of two labels may be more than a signed number holds.
  const std::uint64_t range = std::uint64_t(largest) - std::uint64_t(least);
  if (range >= std::uint64_t(kWidestTable) * std::uint64_t(count)) return {};

  std::vector<std::int64_t> places(range + 1, 0), classes;
  for (std::int64_t i = 0; i < count; ++i) places[labels[i] - least] = 1;
  for (std::uint64_t j = 0; j <= range; ++j) {
    if (places[j] == 0) continue;
    places[j] = std::int64_t(classes.size());
    classes.push_back(least + std::int64_t(j));
  }
  for (std::int64_t i = 0; i < count; ++i) codes[i] = places[labels[i] - least];
  return classes;
}

}  // namespace fastml
