#include "bayes_outcomes.hpp"

namespace fastml {
namespace {

bayes::Outcome outcome_of(const std::string& kind) {
  if (kind == "joint") return bayes::Outcome::joint;
  if (kind == "log_probability") return bayes::Outcome::log_probability;
  if (kind == "probability") return bayes::Outcome::probability;
  require(kind == "label", "outcome: expected joint, log_probability, probability or label, got " + kind);
  return bayes::Outcome::label;
}

}  // namespace

OutcomeArray::OutcomeArray(const std::string& kind, bool narrow, std::int64_t rows, std::int64_t classes)
    : outcomes_{outcome_of(kind), nullptr, nullptr, nullptr} {
  if (outcomes_.kind == bayes::Outcome::label) {
    Array<std::int64_t> labels(rows);
    outcomes_.labels = labels.mutable_data();
    array_ = std::move(labels);
  } else if (narrow) {
    Array<float> values({rows, classes});
    outcomes_.narrow = values.mutable_data();
    array_ = std::move(values);
  } else {
    Array<double> values({rows, classes});
    outcomes_.wide = values.mutable_data();
    array_ = std::move(values);
  }
}

}  // namespace fastml
