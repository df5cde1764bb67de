// Rows and their distances from a query, in the order in which answers hold them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace fastml::neighbors {

struct RankedRow {
  double distance;
  std::int64_t row;
  // NaN is farther away than anything, as NumPy sorts it.
  bool operator<(const RankedRow& other) const {
    if (distance < other.distance || distance > other.distance) return distance < other.distance;
    const bool missing = distance != distance, other_missing = other.distance != other.distance;
    return missing != other_missing ? other_missing : row < other.row;
  }
};

// A row of a segment whose distance is known, and the sum of terms that the distance was made of.
struct ComparedRow {
  RankedRow neighbor;  // row: of the segment
  double sum;
  bool operator<(const ComparedRow& other) const { return neighbor < other.neighbor; }
};

// Writes the k nearest of the first `count` rows in order: into `part`, or (nullptr) into the two arrays.
inline void write_nearest(std::vector<ComparedRow>& rows, std::int64_t count, std::int64_t k,
                          std::int64_t segment_begin, RankedRow* part, double* distances, std::int64_t* indices) {
  if (count > k) {
    std::nth_element(rows.begin(), rows.begin() + k - 1, rows.begin() + count);
    count = k;
  }
  std::sort(rows.begin(), rows.begin() + count);
  for (std::int64_t c = 0; c < count; ++c) {
    const RankedRow neighbor{rows[c].neighbor.distance, segment_begin + rows[c].neighbor.row};
    if (part != nullptr) {
      part[c] = neighbor;
    } else {
      distances[c] = neighbor.distance;
      indices[c] = neighbor.row;
    }
  }
}

}  // namespace fastml::neighbors
