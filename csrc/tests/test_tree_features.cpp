// Features as trees see them: ranks against an ordered map of each column's values, for any strides; values where
// they lie.
#include <cfloat>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/check.hpp"
#include "tests/samples.hpp"
#include "tree/features.hpp"
#include "tree/tuning.hpp"

using namespace fastml;
using tree::Encoding;
using tree::Features;
using tree::RankedFeature;
using tree::SampleMatrix;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

// Row-major, without gaps.
struct Table {
  std::int64_t rows, cols;
  std::vector<float> values;

  float at(std::int64_t i, std::int64_t f) const { return values[i * cols + f]; }
};

Table from_columns(const std::vector<std::vector<float>>& columns) {
  Table table{std::int64_t(columns[0].size()), std::int64_t(columns.size()), {}};
  for (std::int64_t i = 0; i < table.rows; ++i) {
    for (const auto& column : columns) table.values.push_back(column[i]);
  }
  return table;
}

// A table somewhere in memory.
class Laid {
 public:
  Laid(const Table& table, std::int64_t row_stride, std::int64_t col_stride) {
    const std::int64_t rows = table.rows, cols = table.cols;
    const auto reach = [](std::int64_t stride, std::int64_t count) {
      return stride * std::max<std::int64_t>(count - 1, 0);
    };
    const std::int64_t row_reach = reach(row_stride, rows), col_reach = reach(col_stride, cols);
    const std::int64_t first = -std::min<std::int64_t>(row_reach, 0) - std::min<std::int64_t>(col_reach, 0);
    // Exactly as long as needed, for the address sanitizer; what lies between would show as a value of its own.
    memory_.assign(first + std::max<std::int64_t>(row_reach, 0) + std::max<std::int64_t>(col_reach, 0) + 1, 12345.0f);
    samples_ = {memory_.data() + first, rows, cols, row_stride, col_stride};
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t f = 0; f < cols; ++f) memory_[first + i * row_stride + f * col_stride] = table.at(i, f);
    }
  }
  Laid(const Laid&) = delete;

  const SampleMatrix& samples() const { return samples_; }

 private:
  std::vector<float> memory_;
  SampleMatrix samples_;
};

struct Strides {
  std::string name;
  std::int64_t row, col;
};
std::vector<Strides> all_strides(const Table& t) {
  return {{"rows", t.cols, 1},           {"columns", 1, t.rows},       {"gaps in rows", t.cols + 5, 1},
          {"gaps", 3 * t.cols + 1, 3},   {"rows upwards", -t.cols, 1}, {"gaps in columns", 1, t.rows + 7},
          {"backwards", -1, -t.rows - 2}};
}

// The codes of a column by the definition: places among the distinct values. -0 and 0 are one key of the map.
struct PlainRanks {
  std::map<float, std::uint32_t> places;
  bool has_missing = false;
  bool separated = true;

  explicit PlainRanks(const Table& table, std::int64_t feature) {
    for (std::int64_t i = 0; i < table.rows; ++i) {
      const float value = table.at(i, feature);
      if (std::isnan(value)) {
        has_missing = true;
      } else {
        places[value] = 0;
      }
    }
    std::uint32_t place = 0;
    const float* before = nullptr;
    for (auto& [value, code] : places) {
      code = place++;
      if (before != nullptr && value <= *before + 1e-7f) separated = false;
      before = &value;
    }
  }
  std::uint32_t code(float value) const {
    return std::isnan(value) ? std::uint32_t(places.size()) : places.find(value)->second;
  }
};

std::vector<std::uint32_t> codes_of(const Features& features, std::int64_t feature) {
  std::vector<std::uint32_t> codes;
  features.with_codes(feature, [&](const auto* first, std::int64_t stride) {
    for (std::int64_t i = 0; i < features.samples(); ++i) codes.push_back(first[i * stride]);
  });
  return codes;
}

std::size_t bytes_per_code(const Features& features) {
  return features.with_codes(0, [](const auto* codes, std::int64_t) { return sizeof(*codes); });
}

void compare_ranks(const Features& features, const Table& table, const std::string& where) {
  CHECK_EQUAL(features.samples(), table.rows, where);
  CHECK_EQUAL(features.count(), table.cols, where);
  std::uint32_t most = 0;
  for (std::int64_t f = 0; f < table.cols; ++f) {
    const PlainRanks plain(table, f);
    const RankedFeature& ranked = features.ranked(f);
    CHECK_EQUAL(ranked.distinct, plain.places.size(), where << " feature " << f);
    CHECK_EQUAL(ranked.has_missing, plain.has_missing, where << " feature " << f);
    CHECK_EQUAL(features.has_missing(f), plain.has_missing, where << " feature " << f);
    CHECK_EQUAL(ranked.separated, plain.separated, where << " feature " << f);
    if (ranked.distinct != plain.places.size()) continue;
    most = std::max(most, ranked.distinct);

    std::int64_t wrong = 0;
    CHECK_EQUAL(ranked.values != nullptr, ranked.distinct > 0 && ranked.distinct <= tree::kMostTabled, where);
    const auto same = [](float found, float value) { return found == value && !(value == 0 && std::signbit(found)); };
    for (const auto& [value, code] : plain.places)
      wrong += ranked.values != nullptr && !same(ranked.values[code], value);
    CHECK_EQUAL(wrong, 0, where << " values of feature " << f);
    const auto codes = codes_of(features, f);
    for (std::int64_t i = 0; i < table.rows; ++i) {
      const float value = table.at(i, f);
      wrong += codes[i] != plain.code(value);
      wrong += !std::isnan(value) && !same(ranked.value_of(std::uint32_t(i)), value);
    }
    CHECK_EQUAL(wrong, 0, where << " codes of feature " << f);
    // Neighbours, the first of the next ten, and any other: close values are few and lie in runs.
    for (auto lower = plain.places.begin(); lower != plain.places.end(); ++lower) {
      auto upper = lower;
      for (std::uint32_t step = 1; step <= 10 && ++upper != plain.places.end(); ++step) {
        wrong += ranked.apart(lower->second, upper->second) != !(upper->first <= lower->first + 1e-7f);
      }
      const auto last = std::prev(plain.places.end());
      if (last->second > lower->second) {
        wrong += ranked.apart(lower->second, last->second) != !(last->first <= lower->first + 1e-7f);
      }
      wrong += ranked.apart(lower->second, lower->second);
    }
    CHECK_EQUAL(wrong, 0, where << " close values of feature " << f);

    CHECK_EQUAL(ranked.order != nullptr, features.encoding() == Encoding::sorted && table.rows > 0, where);
    if (ranked.order == nullptr) continue;
    std::multimap<std::uint32_t, std::uint32_t> sorted;  // equal codes stay in the order of the samples
    for (std::int64_t i = 0; i < table.rows; ++i) sorted.emplace(codes[i], std::uint32_t(i));
    std::int64_t at = 0;
    for (const auto& [code, sample] : sorted) wrong += ranked.order[at++] != sample;
    CHECK_EQUAL(wrong, 0, where << " order of feature " << f);
  }
  CHECK_EQUAL(bytes_per_code(features), most > 65535 ? 4u : 2u, where);
}

void ranks(const Table& table, const std::string& where) {
  for (const Strides& strides : all_strides(table)) {
    for (const Encoding encoding : {Encoding::ranks, Encoding::sorted}) {
      for (const int threads : {1, 3}) {
        const Laid laid(table, strides.row, strides.col);
        const Features features(laid.samples(), encoding, threads);
        compare_ranks(features, table,
                      where + ", " + strides.name + (encoding == Encoding::sorted ? ", sorted" : "") + ", threads " +
                          std::to_string(threads));
      }
    }
  }
}

// Values are those of memory itself, wherever they lie.
void values(const Table& table, const std::string& name) {
  for (const Strides& strides : all_strides(table)) {
    const std::string where = name + ", " + strides.name;
    Laid laid(table, strides.row, strides.col);
    const SampleMatrix& x = laid.samples();
    const Features features(x, Encoding::values, 3);
    CHECK_EQUAL(features.samples(), table.rows, where);
    CHECK_EQUAL(features.count(), table.cols, where);
    CHECK_EQUAL(features.bytes(), 0, where);
    std::int64_t wrong = 0;
    for (std::int64_t f = 0; f < table.cols; ++f) {
      bool missing = false;
      for (std::int64_t i = 0; i < table.rows; ++i) {
        wrong += &features.column(f)[i * features.stride()] != x.data + i * x.row_stride + f * x.col_stride;
        missing |= std::isnan(table.at(i, f));
      }
      CHECK_EQUAL(features.has_missing(f), missing, where << " feature " << f);
    }
    CHECK_EQUAL(wrong, 0, where);
  }
}

Table mixed(std::int64_t rows, std::int64_t cols, unsigned seed) {
  std::vector<std::vector<float>> columns;
  for (std::int64_t f = 0; f < cols; ++f) {
    std::vector<float> column;
    switch (f % 4) {
      case 0:
        column = normals<float>(rows, seed + unsigned(f));
        break;
      case 1:
        column = integers<float>(rows, -2, 2, seed + unsigned(f));
        break;
      case 2:  // neighbours closer than 1e-7
        column = integers<float>(rows, 0, 5000, seed + unsigned(f));
        for (float& value : column) value *= 4e-8f;
        break;
      default:
        column.assign(rows, 3.5f);
    }
    const auto draws = integers<int>(rows, 0, 9, seed + 1000 + unsigned(f));
    for (std::int64_t i = 0; f % 3 == 2 && i < rows; ++i) {
      if (draws[i] == 0) column[i] = kNan;
    }
    columns.push_back(column);
  }
  return from_columns(columns);
}

void special_values() {
  const std::vector<float> all{0.0f,     -0.0f,       kNan,  FLT_MAX,      -FLT_MAX, kDenormal, -kDenormal,
                               FLT_MIN,  -FLT_MIN,    1.0f,  -1.0f,        1e-7f,    -1e-7f,    FLT_MAX,
                               1.5e-45f, -kNan,       -0.0f, 1.0f,         0.0f,     kNan,      FLT_MIN / 2,
                               -FLT_MAX, 1.00000012f, 2e-7f, -FLT_EPSILON, 3e38f,    -3e38f,    2.1e-7f};
  const std::vector<float> reversed(all.rbegin(), all.rend());
  const std::vector<float> zeros = [&] {
    std::vector<float> some(all.size(), 0.0f);
    for (std::size_t i = 0; i < some.size(); i += 2) some[i] = -0.0f;
    return some;
  }();
  const Table table =
      from_columns({all, reversed, zeros, std::vector<float>(all.size(), kNan), std::vector<float>(all.size(), -5.0f)});
  ranks(table, "special values");
  values(table, "special values");
  for (const float value : all) {
    ranks({1, 1, {value}}, "one sample, " + std::to_string(value));
    values({1, 1, {value}}, "one sample, " + std::to_string(value));
    ranks({1, 3, {value, 2.0f, kNan}}, "one sample of three features, " + std::to_string(value));
  }
  ranks({0, 2, {}}, "no samples");
}

// The last count of values that 16 bits serve, and the first that they do not. NaN takes a code too.
void code_widths() {
  for (const std::int64_t distinct : {65534, 65535, 65536, 65537}) {
    for (const bool with_nan : {false, true}) {
      std::vector<float> many, few;
      for (std::int64_t i = 0; i < distinct + 9; ++i) {
        many.push_back(float((i * 40503) % distinct) - 3000.0f);  // 40503 is prime: every value is there
        few.push_back(float(i % 3));
      }
      if (with_nan) many[7] = many[distinct + 8] = kNan;
      const Table table = from_columns({few, many, few});
      const Laid laid(table, 3, 1);
      for (const Encoding encoding : {Encoding::ranks, Encoding::sorted}) {
        compare_ranks(Features(laid.samples(), encoding, 2), table,
                      std::to_string(distinct) + " values, NaN " + std::to_string(with_nan));
      }
    }
  }
}

void too_many() {
  const std::int64_t count = std::int64_t(std::numeric_limits<std::uint32_t>::max());
  CHECK_THROWS(std::length_error, Features({nullptr, count, 1, 1, 1}, Encoding::ranks, 1), "4294967295", "2^32 - 1");
  CHECK_THROWS(std::length_error, Features({nullptr, count, 1, 1, 1}, Encoding::values, 1), "4294967295", "2^32 - 1");
}

}  // namespace

int main() {
  special_values();
  // More features than are copied together, more samples than a block; narrow samples and wide ones.
  for (const std::int64_t rows : {2, 63, 64, 65, 300}) {
    for (const std::int64_t cols : {1, 7, 8, 9, 17, 64, 65, 129, 140}) {
      const std::string where = std::to_string(rows) + " x " + std::to_string(cols);
      ranks(mixed(rows, cols, unsigned(rows + cols)), where);
      values(mixed(rows, cols, unsigned(rows + cols)), where);
    }
  }
  code_widths();
  too_many();
  return check::result();
}
