// Partition as scikit-learn does it, whose order of samples rounded sums depend on.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml::tree {

// What does not go left is exchanged for the last item that has not been looked at, which is then looked at in its place.
// Returns how many go left. `goes` and `holes` are room.
//
// Followed step by step, each choice would wait for the one before. But where items end up is known once it is known how many
// go left: places in front whose items do not (the holes) get those that do from behind, the last of them first. What they
// held, and what stays behind, moves down from the end in the order in which it was looked at.
template <class GoesLeft>
std::int64_t part_in_place(std::uint32_t* items, std::int64_t count, const GoesLeft& goes_left,
                           std::vector<std::uint8_t>& goes, std::vector<std::uint32_t>& holes) {
  if (std::int64_t(goes.size()) < count) goes.resize(count);
  if (std::int64_t(holes.size()) < count + 2) holes.resize(count + 2);
  std::int64_t left = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    goes[i] = goes_left(items[i]);
    left += goes[i];
  }
  if (left == count) return left;

  std::uint32_t* hole = holes.data();
  for (std::int64_t i = 0; i < left; ++i) {
    *hole = std::uint32_t(i);
    hole += !goes[i];
  }
  // Behind the last hole, the item at the border is looked at.
  hole[0] = hole[1] = std::uint32_t(left);
  hole = holes.data();
  std::uint32_t held = items[*hole];
  for (std::int64_t i = count - 1; i >= left; --i) {
    const std::uint32_t item = items[i];
    const bool fills = goes[i];
    const std::uint32_t next = items[hole[1]];
    items[*hole] = item;  // until one that fills it; what it had is held
    items[i] = held;
    held = fills ? next : item;
    hole += fills;
  }
  return left;
}

}  // namespace fastml::tree
