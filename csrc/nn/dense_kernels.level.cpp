#include "nn/dense_kernels.hpp"

#include "nn/dense_outputs.hpp"
#include "nn/dense_sparse.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using nn::DenseChunk;
using nn::DenseShape;
using nn::DenseUpdate;

template <class T>
std::int64_t panels_size(std::int64_t inputs, std::int64_t outputs) {
  return Panels<T>{inputs, outputs}.size();
}

// An odd number of cache lines, so that the same columns of many rows spread over all sets of L1.
template <class T>
std::int64_t row_stride(std::int64_t width) {
  constexpr std::int64_t line = std::int64_t(64 / sizeof(T));
  const std::int64_t lines = groups(width, line);
  return (lines | 1) * line;
}

template <class T>
std::int64_t scratch_size(const DenseShape& shape) {
  std::int64_t widest = 0;
  for (int l = 1; l <= shape.layers; ++l) widest = shape.widths[l] > widest ? shape.widths[l] : widest;
  const std::int64_t transposed = widest * kTileCols<T>;
  const std::int64_t tile = kTileRows * kTileCols<T>;
  return transposed > tile ? transposed : tile;
}

template <class T>
void forward_layer(const DenseChunk<T>& chunk, int layer, std::int64_t begin, std::int64_t end) {
  const Panels<T> panels{chunk.shape.widths[layer], chunk.shape.widths[layer + 1]};
  const nn::DenseActivation activation = layer + 1 == chunk.shape.layers ? chunk.shape.output : chunk.shape.hidden;
  const std::int64_t from_stride = chunk.stride[layer], to_stride = chunk.stride[layer + 1];
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const T* panel = chunk.weights[layer] + panels.offset(p);
    const std::int64_t width = panels.width(p);
    for (std::int64_t i = begin; i < end; i += kTileRows) {
      const int rows = int(least(end - i, kTileRows));
      const DirectRows<T> a{chunk.activations[layer] + i * from_stride, from_stride};
      T* to = chunk.activations[layer + 1] + i * to_stride + p * kTileCols<T>;
      product<kTileRows>(rows, width, panels.inputs, a, panel, width, panel + panels.inputs * width, to, to_stride);
      activate_rows(activation, to, to_stride, rows, width);
    }
  }
}

// The derivatives by z of layer - 1 from those of `layer`.
template <class T>
void backward_layer(const DenseChunk<T>& chunk, int layer, std::int64_t begin, std::int64_t end, T* scratch) {
  const Panels<T> panels{chunk.shape.widths[layer], chunk.shape.widths[layer + 1]};
  const bool is_last = layer + 1 == chunk.shape.layers;
  const T* from = is_last ? chunk.activations[layer + 1] : chunk.deltas[layer + 1];
  const std::int64_t from_stride = chunk.stride[layer + 1], to_stride = chunk.stride[layer];
  for (std::int64_t j = 0; j < panels.inputs; j += kTileCols<T>) {
    const std::int64_t cols = least(panels.inputs - j, kTileCols<T>), width = whole_vectors<T>(cols);
    transpose_inputs(chunk.weights[layer], panels, j, cols, width, scratch);
    for (std::int64_t i = begin; i < end; i += kTileRows) {
      const int rows = int(least(end - i, kTileRows));
      const DirectRows<T> a{from + i * from_stride, from_stride};
      T* to = chunk.deltas[layer] + i * to_stride + j;
      product<kTileRows>(rows, width, panels.outputs, a, static_cast<const T*>(scratch), width,
                         static_cast<const T*>(nullptr), to, to_stride);
      derive_rows(chunk.shape.hidden, chunk.activations[layer] + i * to_stride + j, to, to_stride, rows, width);
    }
  }
}

template <class T>
double pass(const DenseChunk<T>& chunk, std::int64_t begin, std::int64_t end, T* scratch) {
  if (begin >= end) return 0;
  const int last = chunk.shape.layers;
  const std::int64_t outputs = chunk.shape.widths[last];
  int layer = 0;
  if (chunk.sparse) {
    if (chunk.input.is_double) {
      sparse_forward<double>(chunk, begin, end);
    } else {
      sparse_forward<float>(chunk, begin, end);
    }
    activate_rows(last == 1 ? chunk.shape.output : chunk.shape.hidden, chunk.activations[1] + begin * chunk.stride[1],
                  chunk.stride[1], end - begin, whole_vectors<T>(chunk.shape.widths[1]));
    layer = 1;
  } else {
    gather_rows(chunk, begin, end);
  }
  for (; layer < last; ++layer) forward_layer(chunk, layer, begin, end);
  if (chunk.shape.output == nn::DenseActivation::softmax) {
    for (std::int64_t i = begin; i < end; ++i) {
      softmax_row(chunk.activations[last] + i * chunk.stride[last], outputs, whole_vectors<T>(outputs));
    }
  }
  if (chunk.targets.values == nullptr && chunk.targets.flags == nullptr) return 0;
  const double loss = derive_loss(chunk, begin, end, scratch);
  for (layer = last - 1; layer > 0; --layer) backward_layer(chunk, layer, begin, end, scratch);
  return loss;
}

// Tiles of a layer's panel: groups of inputs, then the intercepts.
FASTML_INLINE std::int64_t tiles_of(std::int64_t inputs) { return groups(inputs, kTileRows) + 1; }

template <class T>
double update_tile(const DenseChunk<T>& chunk, const DenseUpdate<T>& update, int layer, std::int64_t p,
                   std::int64_t tile, T* sums) {
  const Panels<T> panels{chunk.shape.widths[layer], chunk.shape.widths[layer + 1]};
  const bool is_last = layer + 1 == chunk.shape.layers;
  const T* delta = (is_last ? chunk.activations[layer + 1] : chunk.deltas[layer + 1]) + p * kTileCols<T>;
  const std::int64_t delta_stride = chunk.stride[layer + 1], width = panels.width(p);
  const bool intercepts = tile + 1 == tiles_of(panels.inputs);
  const std::int64_t row = intercepts ? panels.inputs : tile * kTileRows;
  const std::int64_t rows = intercepts ? 1 : least(panels.inputs - row, kTileRows);
  const T* const start = nullptr;
  if (intercepts) {
    product<1>(1, width, chunk.rows, Ones<T>{}, delta, delta_stride, start, sums, width);
  } else {
    const DirectCols<T> a{chunk.activations[layer] + row, chunk.stride[layer]};
    product<kTileRows>(int(rows), width, chunk.rows, a, delta, delta_stride, start, sums, width);
  }
  const std::int64_t at = panels.offset(p) + row * width;
  const auto of = [at, layer](T* const* buffers) { return buffers[layer] == nullptr ? nullptr : buffers[layer] + at; };
  return finish(update, intercepts, sums,
                Tile<T>{rows * width, of(update.weights), of(update.gradients), of(update.first), of(update.second)});
}

template <class T>
double update_share(const DenseChunk<T>& chunk, const DenseUpdate<T>& update, int part, int parts, T* scratch) {
  double squares = chunk.sparse ? update_sparse_layer(chunk, update, part, parts) : 0.0;
  const std::int64_t* widths = chunk.shape.widths;
  std::int64_t total = 0;
  for (int l = chunk.sparse ? 1 : 0; l < chunk.shape.layers; ++l) {
    total += Panels<T>{widths[l], widths[l + 1]}.count() * tiles_of(widths[l]);
  }
  std::int64_t begin = total * part / parts, end = total * (part + 1) / parts;
  for (int l = chunk.sparse ? 1 : 0; l < chunk.shape.layers; ++l) {
    const std::int64_t tiles = tiles_of(widths[l]);
    const std::int64_t here = Panels<T>{widths[l], widths[l + 1]}.count() * tiles;
    for (std::int64_t unit = begin > 0 ? begin : 0; unit < least(end, here); ++unit) {
      squares += update_tile(chunk, update, l, unit / tiles, unit % tiles, scratch);
    }
    begin -= here;
    end -= here;
  }
  return squares;
}

// to = start + row * W, with W row-major: eight vectors of sums at a time, then one, then single columns.
template <class T>
void multiply_row(const T* row, std::int64_t inputs, const T* w, const T* start, std::int64_t outputs, T* to) {
  constexpr int wide = 8;
  std::int64_t j = 0;
  for (; j + wide * kLanes<T> <= outputs; j += wide * kLanes<T>) {
    run_product<T, 1, wide>(inputs, DirectRows<T>{row, 0}, w + j, outputs, start + j, to + j, 0);
  }
  for (; j + kLanes<T> <= outputs; j += kLanes<T>) {
    run_product<T, 1, 1>(inputs, DirectRows<T>{row, 0}, w + j, outputs, start + j, to + j, 0);
  }
  if constexpr (kLanes<T> > 1) {
    const int left = int(outputs - j);
    if (left == 0) return;
    alignas(64) T sums[kLanes<T>] = {};
    for (int k = 0; k < left; ++k) sums[k] = start[j + k];
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (int k = 0; k < left; ++k) sums[k] += row[i] * w[i * outputs + j + k];
    }
    for (int k = 0; k < left; ++k) to[j + k] = sums[k];
  }
}

template <class T>
void forward_row(const DenseShape& shape, const T* row, const T* const* coefs, const T* const* intercepts, T* buffers,
                 T* outputs) {
  std::int64_t widest = 0;
  for (int l = 1; l <= shape.layers; ++l) widest = shape.widths[l] > widest ? shape.widths[l] : widest;
  widest = whole_vectors<T>(widest);
  const T* from = row;
  for (int l = 0; l < shape.layers; ++l) {
    T* to = buffers + (l % 2) * widest;
    const std::int64_t width = shape.widths[l + 1];
    multiply_row(from, shape.widths[l], coefs[l], intercepts[l], width, to);
    const nn::DenseActivation activation = l + 1 == shape.layers ? shape.output : shape.hidden;
    for (std::int64_t j = width; j < whole_vectors<T>(width); ++j) to[j] = T(0);
    if (activation == nn::DenseActivation::softmax) {
      softmax_row(to, width, whole_vectors<T>(width));
    } else {
      activate_rows(activation, to, 0, 1, whole_vectors<T>(width));
    }
    from = to;
  }
  for (std::int64_t j = 0; j < shape.widths[shape.layers]; ++j) outputs[j] = from[j];
}

template <class T>
constexpr nn::DenseKernels<T> kernels() {
  return {panels_size<T>, row_stride<T>, scratch_size<T>, load_layer<T>,
          store_layer<T>, pass<T>,       update_share<T>, forward_row<T>};
}

}  // namespace

extern const nn::DenseKernels<float> dense_table_f32;
extern const nn::DenseKernels<double> dense_table_f64;
const nn::DenseKernels<float> dense_table_f32 = kernels<float>();
const nn::DenseKernels<double> dense_table_f64 = kernels<double>();

}  // namespace FASTML_LEVEL
}  // namespace fastml
