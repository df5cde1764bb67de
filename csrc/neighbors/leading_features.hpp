// Features that a screen needs not look at.
//
// In images and the like, part of the features hold nearly all of the distances. Of the others the norm is enough: two
// vectors are at least as far from one another as their norms are apart. The screen goes by that lower bound, at the cost
// of the leading features and one more, and the few rows that it leaves are compared exactly.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml::neighbors {

// Both ascending; together all features. Without `others` every feature is looked at.
struct LeadingFeatures {
  std::vector<std::int64_t> leading, others;
};

// From the sums of squares of centred and scaled features: the fewest that hold nearly all.
LeadingFeatures leading_features(const std::vector<double>& squares);

// Whether few rows are left by the screen: whether, for some of the rows, few of the others have a lower bound below the
// distance of a near one. `rows` are centred and scaled, row-major.
bool tell_rows_apart(const std::vector<float>& rows, const LeadingFeatures& features);

}  // namespace fastml::neighbors
