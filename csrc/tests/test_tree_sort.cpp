// Sorts of a node's keys against std::stable_sort by code, on codes that are bad for digits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/samples.hpp"
#include "tree/small_sort.hpp"
#include "tree/sort.hpp"

using namespace fastml;
using tree::code_of;
using tree::Key;
using tree::make_key;

namespace {

constexpr std::uint32_t kLargest = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kMost = 100'000;

struct Codes {
  std::string name;
  std::vector<std::uint32_t> codes;
};

std::vector<Codes> distributions(std::int64_t n) {
  std::mt19937 random{unsigned(n)};
  const auto make = [&](const std::string& name, auto code) {
    Codes made{name, {}};
    for (std::int64_t i = 0; i < n; ++i) made.codes.push_back(code(std::uint32_t(i)));
    return made;
  };
  const auto uniform = [&](double most) { return most * double(random()) / double(kLargest); };
  std::vector<Codes> all;
  all.push_back(make("all 0", [](std::uint32_t) { return 0u; }));
  all.push_back(make("all the largest", [](std::uint32_t) { return kLargest; }));
  all.push_back(make("two far apart", [&](std::uint32_t) { return random() % 2 ? kLargest : 0u; }));
  all.push_back(make("two neighbours", [&](std::uint32_t) { return 4'000'000'000u + random() % 2; }));
  all.push_back(make("whole range", [&](std::uint32_t) { return std::uint32_t(random()); }));
  all.push_back(make("ranks", [&](std::uint32_t) { return 17u + random() % 70'000; }));
  // Exponentially skewed: most keys in the first bucket, or in the last.
  all.push_back(make("mostly low", [&](std::uint32_t) { return std::uint32_t(std::exp(uniform(22.18))); }));
  all.push_back(make("mostly high", [&](std::uint32_t) { return kLargest - std::uint32_t(std::exp(uniform(22.18))); }));
  all.push_back(make("one outlier", [&](std::uint32_t i) { return i == 0 ? kLargest : random() % 900; }));
  all.push_back(make("ascending", [](std::uint32_t i) { return i; }));
  all.push_back(make("descending", [](std::uint32_t i) { return kLargest - i; }));
  all.push_back(make("up and down", [&](std::uint32_t i) { return std::min(i, std::uint32_t(n) - i); }));
  all.push_back(make("powers of two", [&](std::uint32_t) { return 1u << random() % 32; }));
  all.push_back(make("high bits only", [&](std::uint32_t) { return std::uint32_t(random()) & 0xffe00000u; }));
  all.push_back(make("middle bits only", [&](std::uint32_t) { return std::uint32_t(random()) & 0x003ff800u; }));
  return all;
}

class Sorts {
 public:
  Sorts() : keys_(kMost), scratch_(kMost) {}

  void compare(const Codes& codes) {
    const std::int64_t n = std::int64_t(codes.codes.size());
    const std::string where = codes.name + ", n " + std::to_string(n);
    // Samples ascend, with gaps, up to the largest number there is.
    given_.clear();
    for (std::int64_t i = 0; i < n; ++i)
      given_.push_back(make_key(codes.codes[i], kLargest - std::uint32_t(n - 1 - i) * 3));
    expected_ = given_;
    std::stable_sort(expected_.begin(), expected_.end(), [](Key a, Key b) { return code_of(a) < code_of(b); });

    if (n == 0) return;
    check("radix of all bits: " + where,
          [n](Key* keys, Key* scratch) { return tree::radix_sort_all(keys, scratch, n); });
    const std::uint32_t low = code_of(expected_.front()), high = code_of(expected_.back());
    for (const auto& [from, to] :
         {std::pair{low, high}, std::pair{0u, high}, std::pair{low, kLargest}, std::pair{0u, kLargest}}) {
      check(
          "digits from " + std::to_string(from) + " to " + std::to_string(to) + ": " + where,
          [&, from = from, to = to](Key* keys, Key* scratch) { return tree::radix_sort(keys, scratch, n, from, to); });
    }
  }

 private:
  template <class Sort>
  void check(const std::string& where, const Sort& sort) {
    Key* const keys = keys_.at_end(given_);
    Key* const scratch = scratch_.at_end(std::int64_t(given_.size()));
    std::fill(scratch, scratch + given_.size(), Key(0x5555555555555555));
    const Key* sorted = sort(keys, scratch);
    CHECK(sorted == keys || sorted == scratch, where);
    CHECK(std::equal(expected_.begin(), expected_.end(), sorted), where);
  }

  Guarded<Key> keys_, scratch_;
  std::vector<Key> given_, expected_;
};

// At every SIMD level: up to kSmallSort codes of 26 bits, places as samples.
void small_sorts() {
  std::mt19937 random{3};
  Guarded<std::uint32_t> codes(tree::kSmallSort);
  Guarded<Key> sorted(tree::kSmallSort);
  for (const SimdLevel level : available_levels()) {
    for (std::int64_t n = 1; n <= tree::kSmallSort; ++n) {
      for (const std::uint32_t range : {1u, 2u, 50u, 1u << 26}) {
        for (const std::uint32_t low : {0u, 1'000'000u, kLargest - range + 1}) {
          std::vector<std::uint32_t> given(n);
          for (std::uint32_t& code : given) code = low + random() % range;
          std::vector<Key> expected;
          for (std::int64_t i = 0; i < n; ++i) expected.push_back(make_key(given[i], std::uint32_t(i)));
          std::sort(expected.begin(), expected.end());
          Key* const out = sorted.at_end(n);
          tree::small_sort_kernels(level).sort(codes.at_end(given), n, low, out);
          CHECK(std::equal(expected.begin(), expected.end(), out), name(level) << ", n " << n << ", range " << range);
        }
      }
    }
  }
}

}  // namespace

int main() {
  Sorts sorts;
  small_sorts();
  for (const std::int64_t n : {0,   1,   2,   3,    16,   31,   32,   33,   34,   63,     64,     65,
                               127, 128, 129, 1000, 2047, 2048, 2049, 3000, 4097, 20'000, 100'000}) {
    for (const Codes& codes : distributions(n)) sorts.compare(codes);
  }
  return check::result();
}
