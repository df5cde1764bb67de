// Passes over all variables of a support vector machine, at one SIMD level. Compiled with -ffp-contract=off.
#include "svm/smo_kernels.hpp"

#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using svm::kLeastCurvature;
using svm::Place;
using svm::SecondChoice;
using svm::SecondFound;

using Doubles = vec<double>;
using Places = ivec<double>;
constexpr int kWidth = kLanes<double>;
constexpr double kNone = -__builtin_inf();

FASTML_INLINE Places first_places() {
  Places places{};
  for (int i = 0; i < kWidth; ++i) places[i] = i;
  return places;
}

// The largest value of each lane, and where it was met last.
struct Largest {
  Doubles values = broadcast<double>(kNone);
  Places places = broadcast_integer<double>(-1);

  FASTML_INLINE void meet(Doubles candidates, Places where) {
    const Places better = candidates >= values;
    values = select<double>(better, candidates, values);
    places = select_integer<double>(better, where, places);
  }

  // Of all lanes, and of the places [done, count) that do not fill a vector: value(k) gives theirs.
  template <class Value>
  FASTML_INLINE Place of_all(std::int64_t done, std::int64_t count, const Value& value) const {
    Place best{kNone, -1};
    for (int i = 0; i < kWidth; ++i) {
      if (values[i] > best.value || (values[i] == best.value && places[i] > best.index)) best = {values[i], places[i]};
    }
    for (std::int64_t k = done; k < count; ++k) {
      const double v = value(k);
      if (v >= best.value) best = {v, k};
    }
    if (best.value == kNone) best.index = -1;
    return best;
  }
};

Place most_violating(const double* gradients, const float* up, std::int64_t count) {
  Largest largest;
  Places where = first_places();
  std::int64_t k = 0;
  for (; k + kWidth <= count; k += kWidth) {
    largest.meet(load_as<double>(up + k) - load(gradients + k), where);
    where += kWidth;
  }
  return largest.of_all(k, count, [&](std::int64_t i) { return double(up[i]) - gradients[i]; });
}

Place update(double* gradients, const float* first, double a, const float* second, double b, const float* up,
             std::int64_t count) {
  Largest largest;
  Places where = first_places();
  std::int64_t k = 0;
  for (; k + kWidth <= count; k += kWidth) {
    const Doubles g = load(gradients + k) + (load_as<double>(first + k) * a + load_as<double>(second + k) * b);
    store(gradients + k, g);
    largest.meet(load_as<double>(up + k) - g, where);
    where += kWidth;
  }
  return largest.of_all(k, count, [&](std::int64_t i) {
    gradients[i] += double(first[i]) * a + double(second[i]) * b;
    return double(up[i]) - gradients[i];
  });
}

// The change of the objective that a step to each of some variables brings, as a quotient.
struct Change {
  Doubles difference, squared, curvature;
};

FASTML_INLINE Change change_of(const SecondChoice& c, Doubles g, std::int64_t k) {
  const Doubles difference = g + c.gradient;
  const Doubles curvature = (c.first_diagonal + load(c.diagonal + k)) - 2.0 * load_as<double>(c.row + k);
  return {difference, difference * difference,
          select<double>(curvature > 0.0, curvature, broadcast<double>(kLeastCurvature))};
}

// Variables whose quotient may be as low as `bound`. A division takes as long as all the rest, and few quotients are low.
FASTML_INLINE Places may_be_best(const Change& change, double bound) {
  return Places(change.difference > 0.0) & Places(-change.squared <= bound * change.curvature);
}

SecondFound second(const SecondChoice& c) {
  constexpr int kUnroll = 4;  // vectors between two questions for all lanes
  Doubles most = broadcast<double>(kNone);
  Doubles least = broadcast<double>(-kNone);  // of each lane the least change, and where it was met last
  Places places = broadcast_integer<double>(-1);
  double bound = 0;  // no change above it is chosen any more
  const auto meet = [&](const Change& change, std::int64_t k) __attribute__((always_inline)) {
    const Doubles quotient = -change.squared / change.curvature;
    const Places better = Places(change.difference > 0.0) & Places(quotient <= least);
    least = select<double>(better, quotient, least);
    places = select_integer<double>(better, first_places() + k, places);
    bound = reduce_min<double>(least) * (1 - 1e-14);  // the slack covers what its product with the curvature rounds
    bound = bound > 0 ? 0 : bound;
  };
  std::int64_t k = 0;
  for (; k + kUnroll * kWidth <= c.count; k += kUnroll * kWidth) {
    Places candidates{};
#pragma GCC unroll 4
    for (int u = 0; u < kUnroll; ++u) {
      const Doubles g = load(c.gradients + k + u * kWidth) + load_as<double>(c.low + k + u * kWidth);
      most = maximum<double>(g, most);
      candidates |= may_be_best(change_of(c, g, k + u * kWidth), bound);
    }
    if (!any<double>(candidates)) continue;
    for (int u = 0; u < kUnroll; ++u) {
      const std::int64_t from = k + u * kWidth;
      const Change change = change_of(c, load(c.gradients + from) + load_as<double>(c.low + from), from);
      if (any<double>(may_be_best(change, bound))) meet(change, from);
    }
  }
  SecondFound found{{-kNone, -1}, kNone};
  for (int i = 0; i < kWidth; ++i) {
    found.most = most[i] > found.most ? most[i] : found.most;
    if (places[i] >= 0 &&
        (least[i] < found.best.value || (least[i] == found.best.value && places[i] > found.best.index)))
      found.best = {least[i], places[i]};
  }
  for (; k < c.count; ++k) {
    const double g = c.gradients[k] + double(c.low[k]);
    found.most = g > found.most ? g : found.most;
    const double difference = g + c.gradient;
    if (!(difference > 0)) continue;
    const double curvature = c.first_diagonal + c.diagonal[k] - 2.0 * double(c.row[k]);
    const double quotient = -(difference * difference) / (curvature > 0 ? curvature : kLeastCurvature);
    if (quotient <= found.best.value) found.best = {quotient, k};
  }
  return found;
}

void add_row(double* sums, const float* row, double a, std::int64_t count) {
  std::int64_t k = 0;
  for (; k + kWidth <= count; k += kWidth) store<double>(sums + k, load(sums + k) + load_as<double>(row + k) * a);
  for (; k < count; ++k) sums[k] += double(row[k]) * a;
}

void gather(const float* row, const std::int32_t* columns, std::int64_t count, float* values) {
  for (std::int64_t k = 0; k < count; ++k) values[k] = row[columns[k]];
}

}  // namespace

extern const svm::SmoKernels smo_table;
const svm::SmoKernels smo_table{most_violating, second, update, add_row, gather};

}  // namespace FASTML_LEVEL
}  // namespace fastml
