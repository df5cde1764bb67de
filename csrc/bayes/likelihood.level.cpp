#include "bayes/likelihood_kernels.hpp"
#include "bayes/score_tile.hpp"
#include "simd/transpose.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using bayes::kParameters;
using bayes::LikelihoodKernels;
using bayes::Outcomes;
using bayes::PackedModel;
using bayes::Term;

// A register tile: some vectors of rows times a group of classes.
constexpr int kClasses = kVectorBytes == 64 ? 4 : 2;
constexpr int kVectors = 4;

// Features whose values for a tile of rows stay in L1.
constexpr std::int64_t kPanel = 64;

template <Term term>
FASTML_INLINE vec<double> add_term(vec<double> score, vec<double> x, vec<double> a, vec<double> b) {
  const vec<double> d = x - a;
  if constexpr (term == Term::product) {
    return score - d * d * b;
  } else {
    return score - d * d / b;
  }
}

// Adds the terms of a panel's features to the scores of Vectors vectors of rows for a group of classes.
template <Term term, int Vectors>
FASTML_INLINE void add_terms(const double* panel, std::int64_t features, const double* parameters, double* scores,
                             int classes) {
  vec<double> sums[kClasses][Vectors];
#pragma GCC unroll 4
  for (int k = 0; k < kClasses; ++k) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      sums[k][v] = k < classes ? load(scores + k * kTileRows + v * kLanes<double>) : vec<double>{};
    }
  }
  for (std::int64_t j = 0; j < features; ++j, panel += kTileRows, parameters += kParameters * kClasses) {
    vec<double> x[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) x[v] = load(panel + v * kLanes<double>);
#pragma GCC unroll 4
    for (int k = 0; k < kClasses; ++k) {
      const vec<double> a = broadcast(parameters[k]);
      const vec<double> b = broadcast(parameters[(kParameters - 1) * kClasses + k]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sums[k][v] = add_term<term>(sums[k][v], x[v], a, b);
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < kClasses; ++k) {
    if (k >= classes) break;
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) store(scores + k * kTileRows + v * kLanes<double>, sums[k][v]);
  }
}

// panel[j][i] = x[i][first + j], as doubles; rows up to the next whole vector are filled with zeros. Returns whether all
// are finite.
template <class T>
FASTML_INLINE bool transpose_panel(Rows<const T> x, std::int64_t begin, std::int64_t rows, std::int64_t first,
                                   std::int64_t features, double* panel) {
  constexpr int lanes = kLanes<double>;
  vec<double> differences{};  // x - x: NaN where x is not finite
  std::int64_t i = 0;
  for (; i + lanes <= rows; i += lanes) {
    const T* from = x.data + (begin + i) * x.stride + first;
    std::int64_t j = 0;
    for (; j + lanes <= features; j += lanes) {
      vec<double> block[lanes];
#pragma GCC unroll 16
      for (int r = 0; r < lanes; ++r) {
        block[r] = load_as<double>(from + r * x.stride + j);
        differences += block[r] - block[r];
      }
      transpose<double>(block);
#pragma GCC unroll 16
      for (int c = 0; c < lanes; ++c) store<double>(panel + (j + c) * kTileRows + i, block[c]);
    }
    for (; j < features; ++j) {
      vec<double> column{};
      for (int r = 0; r < lanes; ++r) column[r] = double(from[r * x.stride + j]);
      differences += column - column;
      store<double>(panel + j * kTileRows + i, column);
    }
  }
  if (i < rows) {
    const int left = int(rows - i);
    const T* from = x.data + (begin + i) * x.stride + first;
    for (std::int64_t j = 0; j < features; ++j) {
      vec<double> column{};
      for (int r = 0; r < left; ++r) column[r] = double(from[r * x.stride + j]);
      differences += column - column;
      store<double>(panel + j * kTileRows + i, column);
    }
  }
  return reduce_add<double>(differences) == 0;
}

template <class T>
std::int64_t scratch_size(std::int64_t features, std::int64_t classes) {
  return ((features < kPanel ? features : kPanel) + classes) * kTileRows;
}

template <class T, Term term>
bool score_rows(const PackedModel& model, Rows<const T> x, std::int64_t begin, std::int64_t end, const Outcomes& out,
                double* scratch) {
  constexpr int lanes = kLanes<double>;
  double* scores = scratch;
  double* panel = scratch + model.classes * kTileRows;
  bool finite = true;
  for (; begin < end; begin += kTileRows) {
    const std::int64_t rows = end - begin < kTileRows ? end - begin : kTileRows;
    const int vectors = int((rows + lanes - 1) / lanes);
    for (std::int64_t k = 0; k < model.classes; ++k) {
      for (int v = 0; v < vectors; ++v) store(scores + k * kTileRows + v * lanes, broadcast(model.constants[k]));
    }
    for (std::int64_t first = 0; first < model.features; first += kPanel) {
      const std::int64_t features = model.features - first < kPanel ? model.features - first : kPanel;
      finite &= transpose_panel(x, begin, rows, first, features, panel);
      for (std::int64_t k = 0; k < model.classes; k += kClasses) {
        const double* parameters = model.parameters + (k * model.features + first * kClasses) * kParameters;
        const int classes = int(model.classes - k < kClasses ? model.classes - k : kClasses);
        double* group = scores + k * kTileRows;
        int v = 0;
        for (; v + kVectors <= vectors; v += kVectors) {
          add_terms<term, kVectors>(panel + v * lanes, features, parameters, group + v * lanes, classes);
        }
        for (; v < vectors; ++v) {
          add_terms<term, 1>(panel + v * lanes, features, parameters, group + v * lanes, classes);
        }
      }
    }
    write_outcomes(scores, rows, model.classes, begin, out);
  }
  return finite;
}

template <class T>
bool score(const PackedModel& model, Rows<const T> x, std::int64_t begin, std::int64_t end, const Outcomes& out,
           double* scratch) {
  if (model.term == Term::product) return score_rows<T, Term::product>(model, x, begin, end, out, scratch);
  return score_rows<T, Term::quotient>(model, x, begin, end, out, scratch);
}

}  // namespace

extern const LikelihoodKernels<float> likelihood_table_f32;
extern const LikelihoodKernels<double> likelihood_table_f64;
const LikelihoodKernels<float> likelihood_table_f32{kClasses, scratch_size<float>, score<float>};
const LikelihoodKernels<double> likelihood_table_f64{kClasses, scratch_size<double>, score<double>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
