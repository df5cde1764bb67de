// Checks for tests without a framework: a failed one prints what it saw and where, and the test goes on.
//
//   int main() {
//     CHECK_EQUAL(name(SimdLevel::v2), std::string("v2"), "level names");
//     return check::result();
//   }
//
// `where` is anything that can be written to a stream (`"m=" << m << " n=" << n`), evaluated only on failure.
#pragma once

#include <atomic>
#include <iostream>
#include <sstream>
#include <string>

namespace fastml::check {

inline std::atomic<int> passed{0};
inline std::atomic<int> failed{0};

// After this many lines the rest is only counted: a wrong kernel fails thousands of checks.
inline constexpr int kMostPrinted = 20;

inline void fail(const char* file, int line, const std::string& text) {
  if (failed++ < kMostPrinted) std::cerr << file + std::string(":") + std::to_string(line) + ": " + text + "\n";
}

// The exit code of main. A test that checked nothing has failed.
inline int result() {
  std::cout << passed << " checks passed, " << failed << " failed\n";
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace fastml::check

#define CHECK_OR_FAIL_(holds, message)                             \
  do {                                                             \
    if (holds) {                                                   \
      ++fastml::check::passed;                                     \
    } else {                                                       \
      std::ostringstream stream_;                                  \
      stream_.precision(17);                                       \
      stream_ << message; /* NOLINT(bugprone-macro-parentheses) */ \
      fastml::check::fail(__FILE__, __LINE__, stream_.str());      \
    }                                                              \
  } while (false)

#define CHECK(condition, where) CHECK_OR_FAIL_((condition), "not true: " #condition " [" << where << "]")

#define CHECK_EQUAL(actual, expected, where)                                                         \
  do {                                                                                               \
    const auto& actual_ = (actual);                                                                  \
    const auto& expected_ = (expected);                                                              \
    CHECK_OR_FAIL_(actual_ == expected_,                                                             \
                   #actual " is " << actual_ << ", expected " << expected_ << " [" << where << "]"); \
  } while (false)

// |actual - expected| <= tolerance; a NaN on either side fails.
#define CHECK_CLOSE(actual, expected, tolerance, where)                                                         \
  do {                                                                                                          \
    const double actual_ = double(actual), expected_ = double(expected), tolerance_ = double(tolerance);        \
    const double difference_ = actual_ < expected_ ? expected_ - actual_ : actual_ - expected_;                 \
    CHECK_OR_FAIL_(difference_ <= tolerance_, #actual " is " << actual_ << ", expected " << expected_ << " to " \
                                                             << tolerance_ << " [" << where << "]");            \
  } while (false)

#define CHECK_THROWS(exception, expression, text, where)                                                          \
  do {                                                                                                            \
    std::string thrown_ = "nothing";                                                                              \
    bool right_ = false;                                                                                          \
    try {                                                                                                         \
      static_cast<void>(expression);                                                                              \
    } catch (const exception& error_) {                                                                           \
      thrown_ = error_.what();                                                                                    \
      right_ = thrown_.find(text) != std::string::npos;                                                           \
    }                                                                                                             \
    CHECK_OR_FAIL_(right_, #expression " threw " << thrown_ << ", expected " #exception " with: " << text << " [" \
                                                 << where << "]");                                                \
  } while (false)
