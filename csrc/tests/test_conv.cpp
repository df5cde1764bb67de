// Convolutions at every level against plain loops.
#include <random>

#include "tests/levels.hpp"
#include "tests/plain_conv.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

template <class T>
void shapes(const char* level) {
  Arrays<T> arrays;
  // batch, height, width, channels in, out; kernel, strides, dilations; margins; groups
  const Conv named[] = {
      {2, 5, 7, 3, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},   {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1},
      {3, 9, 8, 6, 10, 3, 2, 2, 3, 1, 1, 0, 1, 1, 0, 2},  {2, 12, 12, 4, 4, 3, 3, 1, 1, 2, 3, 2, 2, 3, 3, 4},
      {1, 6, 6, 33, 40, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1}, {1, 1, 30, 5, 17, 1, 5, 1, 2, 1, 1, 0, 0, 2, 2, 1},
      {2, 11, 5, 2, 70, 5, 5, 3, 4, 1, 1, 4, 4, 4, 4, 1}, {2, 4, 4, 16, 16, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0, 1},
      {2, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 5, 3, 4, 6, 1},   {0, 4, 4, 2, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 1},
  };
  unsigned seed = 1;
  for (const Conv& c : named) compare<T>(c, arrays, level, seed += 10);

  std::mt19937 random(5);
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  };
  for (int i = 0; i < 60; ++i) {
    const std::int64_t groups = draw(1, 3);
    const Conv c{draw(1, 3),           draw(1, 12), draw(1, 12), draw(1, 4) * groups,
                 draw(1, 14) * groups, draw(1, 4),  draw(1, 4),  draw(1, 4),
                 draw(1, 4),           draw(1, 3),  draw(1, 3),  draw(0, 4),
                 draw(0, 4),           draw(0, 4),  draw(0, 4),  groups};
    if (c.height + c.pad_top + c.pad_bottom <= c.dilation_h * (c.kernel_h - 1)) continue;
    if (c.width + c.pad_left + c.pad_right <= c.dilation_w * (c.kernel_w - 1)) continue;
    compare<T>(c, arrays, level, seed += 10);
  }
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    shapes<float>(name(level));
    shapes<double>(name(level));
  });
  return check::result();
}
