// Rows of the input, and the first layer on CSR rows. For level sources only.
#pragma once

#include "nn/dense_panels.hpp"
#include "nn/dense_updates.hpp"

namespace fastml {
namespace FASTML_LEVEL {

template <class T>
FASTML_INLINE std::int64_t input_row(const nn::DenseChunk<T>& chunk, std::int64_t i) {
  return chunk.order == nullptr ? chunk.first + i : chunk.order[i];
}

template <class S, class T>
void gather(const nn::DenseChunk<T>& chunk, std::int64_t begin, std::int64_t end) {
  const nn::DenseInput& x = chunk.input;
  const S* values = static_cast<const S*>(x.values);
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = input_row(chunk, i);
    T* __restrict to = chunk.activations[0] + i * chunk.stride[0];
    if (x.offsets == nullptr) {
      const S* __restrict from = values + row * x.cols;
      for (std::int64_t j = 0; j < x.cols; ++j) to[j] = T(from[j]);
    } else {
      for (std::int64_t j = 0; j < x.cols; ++j) to[j] = T(0);
      for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k) to[x.indices[k]] += T(values[k]);
    }
  }
}

template <class T>
void gather_rows(const nn::DenseChunk<T>& chunk, std::int64_t begin, std::int64_t end) {
  if (chunk.input.is_double) {
    gather<double>(chunk, begin, end);
  } else {
    gather<float>(chunk, begin, end);
  }
}

// z of the first layer: intercepts, and a row of the panel for each stored value.
template <class S, class T, int NV>
FASTML_INLINE void sparse_panel(const nn::DenseInput& x, std::int64_t row, const T* panel, std::int64_t inputs, T* to) {
  const S* values = static_cast<const S*>(x.values);
  constexpr std::int64_t width = NV * kLanes<T>;
  vec<T> acc[NV];
  for (int j = 0; j < NV; ++j) acc[j] = load(panel + inputs * width + j * kLanes<T>);
  for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k) {
    const T* from = panel + x.indices[k] * width;
    const T value = T(values[k]);
    for (int j = 0; j < NV; ++j) acc[j] += value * load(from + j * kLanes<T>);
  }
  for (int j = 0; j < NV; ++j) store(to + j * kLanes<T>, acc[j]);
}

template <class S, class T>
void sparse_forward(const nn::DenseChunk<T>& chunk, std::int64_t begin, std::int64_t end) {
  const Panels<T> panels{chunk.shape.widths[0], chunk.shape.widths[1]};
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = input_row(chunk, i);
    for (std::int64_t p = 0; p < panels.count(); ++p) {
      const T* panel = chunk.weights[0] + panels.offset(p);
      T* to = chunk.activations[1] + i * chunk.stride[1] + p * kTileCols<T>;
      if (panels.width(p) == kLanes<T>) {
        sparse_panel<S, T, 1>(chunk.input, row, panel, panels.inputs, to);
      } else {
        sparse_panel<S, T, kTileVectors>(chunk.input, row, panel, panels.inputs, to);
      }
    }
  }
}

// gradients[0] += X' delta for the features [begin, end) of the first layer.
template <class S, class T>
void sparse_sums(const nn::DenseChunk<T>& chunk, const T* delta, T* sums, std::int64_t begin, std::int64_t end) {
  const nn::DenseInput& x = chunk.input;
  const S* values = static_cast<const S*>(x.values);
  const Panels<T> panels{chunk.shape.widths[0], chunk.shape.widths[1]};
  for (std::int64_t i = 0; i < chunk.rows; ++i) {
    const std::int64_t row = input_row(chunk, i);
    const T* d = delta + i * chunk.stride[1];
    for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k) {
      const std::int64_t feature = x.indices[k];
      if (feature < begin || feature >= end) continue;
      const T value = T(values[k]);
      for (std::int64_t p = 0; p < panels.count(); ++p) {
        const std::int64_t width = panels.width(p);
        T* to = sums + panels.offset(p) + feature * width;
        const T* from = d + p * kTileCols<T>;
        for (std::int64_t j = 0; j < width; j += kLanes<T>) store(to + j, load(to + j) + value * load(from + j));
      }
    }
  }
}

// The share `part` of the first layer's update: some of the features; their sums are zero again when the batch ends.
template <class T>
double update_sparse_layer(const nn::DenseChunk<T>& chunk, const nn::DenseUpdate<T>& update, int part, int parts) {
  const Panels<T> panels{chunk.shape.widths[0], chunk.shape.widths[1]};
  const std::int64_t begin = panels.inputs * part / parts, end = panels.inputs * (part + 1) / parts;
  const T* delta = chunk.shape.layers == 1 ? chunk.activations[1] : chunk.deltas[1];
  T* sums = update.gradients[0];
  if (chunk.input.is_double) {
    sparse_sums<double>(chunk, delta, sums, begin, end);
  } else {
    sparse_sums<float>(chunk, delta, sums, begin, end);
  }
  // Intercepts: the last part's.
  const bool has_intercepts = part == parts - 1;
  if (has_intercepts) {
    for (std::int64_t p = 0; p < panels.count(); ++p) {
      const std::int64_t width = panels.width(p);
      T* to = sums + panels.offset(p) + panels.inputs * width;
      product<1>(1, width, chunk.rows, Ones<T>{}, delta + p * kTileCols<T>, chunk.stride[1], static_cast<const T*>(to),
                 to, width);
    }
  }
  if (!update.ends) return 0;
  nn::DenseUpdate<T> whole = update;  // the sums of all chunks are there
  whole.begins = true;
  double squares = 0;
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const std::int64_t width = panels.width(p);
    const auto apply = [&](std::int64_t row, std::int64_t rows, bool intercepts) {
      const std::int64_t at = panels.offset(p) + row * width;
      const Tile<T> tile{rows * width, update.weights[0] + at, sums + at,
                         update.first[0] == nullptr ? nullptr : update.first[0] + at,
                         update.second[0] == nullptr ? nullptr : update.second[0] + at};
      squares += finish(whole, intercepts, sums + at, tile);
      if (update.rule == nn::Rule::gradient) return;
      for (std::int64_t i = 0; i < tile.count; ++i) sums[at + i] = T(0);
    };
    // A few rows at a time stay in L1 from one pass to the next.
    for (std::int64_t row = begin; row < end; row += kTileRows) apply(row, least(end - row, kTileRows), false);
    if (has_intercepts) apply(panels.inputs, 1, true);
  }
  return squares;
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
