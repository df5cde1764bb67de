#include "neighbors/tile_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "neighbors/kd_tree.hpp"

namespace fastml::neighbors {
namespace {

// What sums and scores in double may be off by, far above thousands of roundings and far below the bounds in f32.
constexpr double kSlack = 1e-12;

// Points in tiles are packed anew when fewer than this share of them is still asked for.
constexpr double kWorthPacking = 0.75;

// A limit that no row passes.
constexpr float kNobody = -std::numeric_limits<float>::infinity();

std::int64_t padded(std::int64_t cols) { return (cols + kExactLanes - 1) / kExactLanes * kExactLanes; }

}  // namespace

template <class T>
TilePairs<T>::Scratch::Scratch(std::int64_t cols, std::int64_t features)
    : centered(kMostBlockPoints * features),
      tiles(kMostBlockPoints * features),
      limits(kMostBlockPoints),
      candidates(kMostBlockPoints * kMostBlockPoints),
      query(padded(cols)),
      embedded(features),
      open(kMostBlockPoints),
      sums(kMostBlockPoints) {}

template <class T>
TilePairs<T>::TilePairs(const Rows<const T>& data, const MetricOptions& options, double radius, int threads,
                        StopCheck stop)
    : options_(options),
      weights_(options.weights),
      rows_(in_order(data, threads, stop)),
      screened_(rows_, options, threads, false),
      reduced_(sum_of_distance(options, radius)),
      tau_(screened_.score(reduced_) * (1 + kSlack)),
      certain_(screened_.score(reduced_) * (1 - kSlack)) {
  if (!weights_.empty()) weights_.resize(padded(data.cols), 0.0);
  for (int thread = 0; thread < std::max(threads, 1); ++thread) scratch_.emplace_back(data.cols, screened_.features());
  if (has_kd_tree(options)) boxes_ = boxes_of(nullptr);
}

template <class T>
Rows<const T> TilePairs<T>::in_order(const Rows<const T>& data, int threads, StopCheck stop) {
  if (!has_kd_tree(options_) || data.rows <= kMostBlockPoints) return data;
  // Only the order matters, for which the widest side is as good under one norm as under another.
  const KdTree<T> tree(data.data, data.rows, data.cols, data.stride, {Metric::euclidean, 2, {}}, threads, stop);
  const KdTreeView<T> view = tree.view();
  order_.resize(data.rows);
  copy_.resize(data.rows * data.cols);
  for (std::int64_t place = 0; place < data.rows; ++place) {
    order_[place] = view.rows != nullptr ? view.rows[place] : view.long_rows[place];
    std::copy_n(data.data + order_[place] * data.stride, data.cols, copy_.data() + place * data.cols);
  }
  return {copy_.data(), data.rows, data.cols, data.cols};
}

// Boxes of the points whose bits are set, or of all. Those of none are not used.
template <class T>
std::vector<T> TilePairs<T>::boxes_of(const std::uint32_t* points) const {
  const std::int64_t cols = rows_.cols;
  std::vector<T> boxes(this->blocks() * cols * 2);
  std::int64_t last = -1;
  for (std::int64_t i = 0; i < rows_.rows; ++i) {
    if (points != nullptr && (points[i / 32] >> i % 32 & 1) == 0) continue;
    const std::int64_t block = i / kMostBlockPoints;
    T* box = boxes.data() + block * cols * 2;
    const T* x = rows_.data + i * rows_.stride;
    for (std::int64_t j = 0; j < cols; ++j) {
      if (block != last || x[j] < box[2 * j]) box[2 * j] = x[j];
      if (block != last || x[j] > box[2 * j + 1]) box[2 * j + 1] = x[j];
    }
    last = block;
  }
  return boxes;
}

template <class T>
void TilePairs<T>::set_cores(const std::uint32_t* cores) {
  if (!boxes_.empty()) core_boxes_ = boxes_of(cores);
}

// Features are looked at until the boxes are known to be too far apart.
template <class T>
bool TilePairs<T>::are_far(const T* x, const T* y) const {
  const Terms terms = terms_of(options_);
  const double limit = reduced_ * (1 + kSlack) + std::numeric_limits<double>::min();
  double sum = 0;
  for (std::int64_t j = 0; j < rows_.cols && sum <= limit; ++j) {
    const double gap =
        std::max({double(x[2 * j]) - double(y[2 * j + 1]), double(y[2 * j]) - double(x[2 * j + 1]), 0.0});
    if (terms == Terms::most) {
      sum = std::max(sum, gap);
    } else {
      sum += terms == Terms::squares ? gap * gap : terms == Terms::absolutes ? gap : std::pow(gap, options_.p);
    }
  }
  return sum > limit;
}

template <class T>
void TilePairs<T>::near(std::int64_t block, Side here, Side there, const Enter& enter,
                        std::vector<std::int64_t>& blocks) const {
  const std::vector<T>& from = here == Side::all ? boxes_ : core_boxes_;
  const std::vector<T>& to = there == Side::all ? boxes_ : core_boxes_;
  for (std::int64_t b = 0; b < this->blocks(); ++b) {
    if (!enter(~std::int32_t(b), b, b + 1)) continue;
    if (boxes_.empty() || !are_far(from.data() + block * rows_.cols * 2, to.data() + b * rows_.cols * 2)) {
      blocks.push_back(b);
    }
  }
}

template <class T>
double TilePairs<T>::open_share() const {
  if (!screened_.usable() || !(tau_ > 0) || !std::isfinite(float(tau_))) return 1;
  double slack = 0;
  for (std::int64_t i = 0; i < rows_.rows; ++i) slack += double(screened_.slacks()[i]) / double(rows_.rows);
  return 2 * (slack + screened_.gamma() * tau_) / tau_;
}

template <class T>
void TilePairs<T>::pack(Scratch& s, std::int64_t block, const std::uint32_t* active) const {
  s.block = block;
  s.count = 0;
  const std::int64_t features = screened_.features();
  for (int i = 0; i < kMostBlockPoints; ++i) {
    if ((active[i / 32] >> i % 32 & 1) == 0) continue;
    const std::int64_t place = block * kMostBlockPoints + i;
    const double inverse = screened_.inverse_norms() != nullptr ? screened_.inverse_norms()[place] : 1.0;
    s.point[s.count] = i;
    s.screened[s.count] = false;
    s.offset[s.count] = kNobody;
    Shortlist& list = s.lists[s.count];
    list = {0, 0, 0, 0, s.candidates.data() + s.count * kMostBlockPoints, nullptr};
    if (screened_.usable()) {
      const QuerySize size = screened_.set_query(rows_.data + place * rows_.stride, inverse, s.embedded.data(),
                                                 s.centered.data() + s.count * features);
      list.offset = size.offset;
      list.tau = rounded_up(tau_);
      list.margin = rounded_up(2 * screened_.gamma() * size.size + 2 * kScreenFloor);
      const float limit = limit_of(double(list.tau), screened_.gamma(), list.offset);
      if (size.screened && std::isfinite(limit)) {
        s.screened[s.count] = true;
        s.offset[s.count] = limit;
      }
    }
    ++s.count;
  }
  std::copy_n(active, kMostBlockWords, s.packed);
  if (screened_.usable()) brute_kernels().pack_queries(s.centered.data(), s.count, features, s.tiles.data());
}

// Sets the bits of those rows of block b, listed in scratch.open, that are within the radius.
template <class T>
void TilePairs<T>::compare_exactly(Scratch& s, std::int64_t place, std::int64_t b, std::uint32_t* mask) const {
  const double inverse = screened_.inverse_norms() != nullptr ? screened_.inverse_norms()[place] : 1.0;
  const T* x = rows_.data + place * rows_.stride;
  for (std::int64_t j = 0; j < rows_.cols; ++j) s.query.data()[j] = double(x[j]) * inverse;
  const std::int64_t base = b * kMostBlockPoints, count = std::int64_t(s.open.size());
  s.sums.resize(count);
  if (inverse == 0) {  // the cosine of zeros is 0
    std::fill(s.sums.begin(), s.sums.end(), 2.0);
  } else {
    const ExactQuery<T> query{
        rows_,   s.query.data(), weights_.empty() ? nullptr : weights_.data(), screened_.inverse_norms(), options_.p,
        nullptr, nullptr};
    exact_kernels<T>().sums(terms_of(options_), query, base, s.open.data(), count, s.sums.data());
  }
  for (std::int64_t c = 0; c < count; ++c) {
    if (s.sums[c] <= reduced_) mask[s.open[c] / 32] |= std::uint32_t(1) << s.open[c] % 32;
  }
}

template <class T>
void TilePairs<T>::compare(int thread, std::int64_t a, std::int64_t b, const std::uint32_t* active,
                           std::uint32_t* masks) {
  Scratch& s = scratch_[thread];
  int asked = 0;
  bool packed = s.block == a;
  for (int w = 0; w < kMostBlockWords; ++w) {
    asked += __builtin_popcount(active[w]);
    packed = packed && (active[w] & ~s.packed[w]) == 0;
  }
  if (!packed || asked < kWorthPacking * s.count) pack(s, a, active);
  const auto is_active = [&](int at) { return (active[s.point[at] / 32] >> s.point[at] % 32 & 1) != 0; };
  for (int at = 0; at < s.count; ++at) {
    s.lists[at].count = 0;
    s.limits.data()[at] = is_active(at) ? s.offset[at] : kNobody;
  }
  const std::int64_t begin = b * kMostBlockPoints, end = std::min(rows_.rows, begin + kMostBlockPoints);
  if (screened_.usable()) {
    const BruteKernels& kernels = brute_kernels();
    // The lists have room for all rows of the block: none is ever full.
    const ScreenBlock block{screened_.panels(),
                            screened_.heads(),
                            screened_.slacks(),
                            screened_.features(),
                            rows_.rows,
                            begin,
                            s.tiles.data(),
                            s.count,
                            s.limits.data(),
                            s.lists,
                            0,
                            kMostBlockPoints,
                            screened_.gamma(),
                            float(options_.p),
                            nullptr,
                            nullptr};
    kernels.screen(screened_.screen(), false, block, begin / kernels.panel_rows,
                   (end + kernels.panel_rows - 1) / kernels.panel_rows);
  }
  for (int at = 0; at < s.count; ++at) {
    if (!is_active(at)) continue;
    const std::int64_t place = a * kMostBlockPoints + s.point[at];
    std::uint32_t* mask = masks + s.point[at] * kMostBlockWords;
    std::fill_n(mask, kMostBlockWords, 0);
    s.open.clear();
    if (s.screened[at]) {
      for (std::int32_t c = 0; c < s.lists[at].count; ++c) {
        const Candidate& candidate = s.lists[at].candidates[c];
        if (double(candidate.up) <= certain_) {
          mask[candidate.row / 32] |= std::uint32_t(1) << candidate.row % 32;
        } else {
          s.open.push_back(candidate.row);
        }
      }
    } else {
      for (std::int64_t i = begin; i < end; ++i) s.open.push_back(std::int32_t(i - begin));
    }
    if (!s.open.empty()) compare_exactly(s, place, b, mask);
    // Also where it is a row of zeros, whose cosine with anything is 0.
    if (a == b) mask[s.point[at] / 32] |= std::uint32_t(1) << s.point[at] % 32;
  }
}

template class TilePairs<float>;
template class TilePairs<double>;

}  // namespace fastml::neighbors
