// The outcome that a model of naive Bayes is asked for, by name, and the array that it is written to.
#pragma once

#include <cstdint>
#include <string>

#include "bayes/outcomes.hpp"
#include "bindings.hpp"

namespace fastml {

// "joint", "log_probability", "probability": floats of rows x classes, float32 if `narrow`; "label": int64 of rows.
class OutcomeArray {
 public:
  OutcomeArray(const std::string& kind, bool narrow, std::int64_t rows, std::int64_t classes);

  bayes::Outcomes outcomes() const { return outcomes_; }
  py::array array() const { return array_; }

 private:
  py::array array_;
  bayes::Outcomes outcomes_;
};

}  // namespace fastml
