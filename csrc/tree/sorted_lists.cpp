#include "tree/sorted_lists.hpp"

#include <omp.h>

#include <algorithm>

#include "tree/tuning.hpp"

namespace fastml::tree {

SortedLists::SortedLists(const Features& features, const std::vector<std::uint32_t>& samples, int threads)
    : count_(std::int64_t(samples.size())),
      features_(features.count()),
      threads_(threads),
      keys_(count_ * features_),
      aside_(count_ * threads),
      left_(features.samples()),
      skip_(features_) {
  for (const std::uint32_t sample : samples) left_[sample] = 1;  // here: is in the tree
#pragma omp parallel for num_threads(threads_) schedule(dynamic) if (threads_ > 1)
  for (std::int64_t f = 0; f < features_; ++f) {
    const RankedFeature& ranked = features.ranked(f);
    const auto code = [&](std::uint32_t sample) {
      return features.with_codes(
          f, [&](const auto* codes, std::int64_t stride) { return std::uint32_t(codes[sample * stride]); });
    };
    Key* list = keys_.data() + f * count_;
    if (ranked.order != nullptr) {
      std::int64_t kept = 0;
      for (std::int64_t i = 0; kept < count_; ++i) {
        const std::uint32_t sample = ranked.order[i];
        if (left_[sample]) list[kept++] = make_key(code(sample), sample);
      }
    } else {
      for (std::int64_t i = 0; i < count_; ++i) list[i] = make_key(code(samples[i]), samples[i]);
      Key* aside = aside_.data() + omp_get_thread_num() * count_;
      const Key* sorted = count_ > 0 ? radix_sort_all(list, aside, count_) : list;
      if (sorted != list) std::copy(sorted, sorted + count_, list);
    }
  }
}

void SortedLists::mark(const std::uint32_t* samples, std::int64_t count_left, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) left_[samples[i]] = i < count_left;
}

void SortedLists::part(std::int64_t begin, std::int64_t end, const std::int64_t* skipped, std::int64_t skipped_count) {
  std::fill(skip_.begin(), skip_.end(), 0);
  for (std::int64_t i = 0; i < skipped_count; ++i) skip_[skipped[i]] = 1;
  const bool parallel = threads_ > 1 && (end - begin) * features_ >= threads_ * kSearchWorkPerThread;
#pragma omp parallel for num_threads(threads_) schedule(static) if (parallel)
  for (std::int64_t f = 0; f < features_; ++f) {
    if (skip_[f]) continue;
    Key* list = keys_.data() + f * count_;
    Key* aside = aside_.data() + omp_get_thread_num() * count_;
    Key* left = list + begin;
    Key* right = aside;
    for (std::int64_t i = begin; i < end; ++i) {
      const Key key = list[i];
      const bool goes_left = left_[sample_of(key)];
      *left = key;
      *right = key;
      left += goes_left;
      right += !goes_left;
    }
    std::copy(aside, right, left);
  }
}

}  // namespace fastml::tree
