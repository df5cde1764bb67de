// The partition that leaves items in scikit-learn's order, against exchanges one by one.
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "tests/check.hpp"
#include "tree/part_in_place.hpp"

using namespace fastml;

namespace {

std::int64_t part_plainly(std::vector<std::uint32_t>& items, const std::vector<bool>& goes_left) {
  std::int64_t left = 0, right = std::int64_t(items.size());
  while (left < right) {
    if (goes_left[items[left]]) {
      ++left;
    } else {
      std::swap(items[left], items[--right]);
    }
  }
  return left;
}

void compare(const std::vector<bool>& goes_left, std::mt19937& random) {
  std::vector<std::uint32_t> items;
  for (std::size_t i = 0; i < goes_left.size(); ++i) items.push_back(std::uint32_t(i));
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random() % i]);
  std::vector<std::uint32_t> expected = items;
  const std::int64_t left = part_plainly(expected, goes_left);
  std::vector<std::uint8_t> goes;
  std::vector<std::uint32_t> holes;
  const std::int64_t found = tree::part_in_place(
      items.data(), std::int64_t(items.size()), [&](std::uint32_t item) { return goes_left[item]; }, goes, holes);
  CHECK_EQUAL(found, left, items.size() << " items");
  CHECK(items == expected, items.size() << " items, " << left << " of them go left");
}

}  // namespace

int main() {
  std::mt19937 random(1);
  // Every way up to ten items can go, then many that go left with some probability.
  for (unsigned count = 0; count <= 10; ++count) {
    for (unsigned bits = 0; bits < 1u << count; ++bits) {
      std::vector<bool> goes_left;
      for (unsigned i = 0; i < count; ++i) goes_left.push_back((bits >> i & 1) != 0);
      compare(goes_left, random);
    }
  }
  for (const unsigned count : {11u, 64u, 100u, 1000u}) {
    for (const unsigned share : {0u, 1u, 20u, 50u, 90u, 99u, 100u}) {
      std::vector<bool> goes_left;
      for (unsigned i = 0; i < count; ++i) goes_left.push_back(random() % 100 < share);
      compare(goes_left, random);
    }
  }
  return check::result();
}
