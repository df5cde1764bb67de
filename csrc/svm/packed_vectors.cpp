#include "svm/packed_vectors.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>

#include "svm/decision_blocks.hpp"

namespace fastml::svm {
namespace {

std::int64_t rounded_up(std::int64_t count, std::int64_t unit) { return (count + unit - 1) / unit * unit; }

template <class Vectors>
std::vector<double> mean_of(const Vectors& vectors) {
  const std::int64_t features = vectors.features();
  std::vector<double> mean(features, 0.0), memory(Vectors::is_copied ? features : 0);
  for (std::int64_t i = 0; i < vectors.count(); ++i) {
    const double* y = vectors.block(i, 1, memory.data());
    for (std::int64_t f = 0; f < features; ++f) mean[f] += y[f];
  }
  for (double& m : mean) m /= double(vectors.count());
  return mean;
}

// Makes the values of the kernel between samples and packed vectors (decision_blocks.hpp).
template <class Vectors>
struct PackedValues {
  const PackedVectors& y;
  const Vectors& x;
  std::atomic<bool>& overflowed;
  const DecisionKernels& kernels = decision_kernels();
  std::int64_t tile_samples, block_samples, strip_samples, block_vectors;
  Parts depths;

  PackedValues(const PackedVectors& y_, const Vectors& x_, std::atomic<bool>& overflowed_)
      : y(y_), x(x_), overflowed(overflowed_), depths(std::max<std::int64_t>(y_.features, 1), kDepth) {
    const std::int64_t cols = kernels.panel_cols, bytes = sizeof(double);
    tile_samples = std::min(kernels.tile_rows, x.count());
    block_samples = std::clamp(kSampleBytes / bytes / depths.samples, kernels.tile_rows, kBlockSamples);
    strip_samples = depths.count == 1 ? tile_samples : std::min(block_samples, x.count());
    // Few samples meet several panels at a time, and no panel twice.
    const std::int64_t unit = tile_samples > 2 ? cols : 4 * cols;
    block_vectors = kStripValues / tile_samples;
    if (x.count() > tile_samples) block_vectors = std::min(block_vectors, kPanelBytes / bytes / depths.begin(1));
    block_vectors = std::max(block_vectors / unit, std::int64_t(1)) * unit;
    block_vectors = std::min(block_vectors, std::max(rounded_up(y.count, cols), cols));
  }

  std::int64_t strip() const { return strip_samples; }
  std::int64_t block() const { return block_vectors; }
  std::int64_t stride() const { return block_vectors; }

  // Norms, tiles, and what is copied.
  std::int64_t workspace(std::int64_t samples) const {
    return samples * (1 + y.features * (Vectors::is_copied ? 2 : 1));
  }

  // Calls step(first sample within the block, height) for the tiles of a strip.
  template <class Step>
  void for_each_tile(const Strip& strip, const Step& step) const {
    const Parts tiles(strip.height, tile_samples);
    for (std::int64_t t = 0; t < tiles.count; ++t) {
      step(strip.begin + tiles.begin(t), int(tiles.begin(t + 1) - tiles.begin(t)));
    }
  }

  void start(double* memory, const Block& block) const {
    double* const norms = memory;
    double* const packed = memory + block.count;
    const double* rows = x.block(block.begin, block.count, packed + block.count * y.features);
    const double* center = y.center.empty() ? nullptr : y.center.data();
    const Parts strips(block.count, strip_samples);
    for (std::int64_t s = 0; s < strips.count; ++s) {
      const Strip strip{strips.begin(s), int(strips.begin(s + 1) - strips.begin(s))};
      for_each_tile(strip, [&](std::int64_t first, int height) {
        kernels.pack_tile(rows + first * x.stride(), x.stride(), height, y.features, center,
                          packed + first * y.features, norms + first);
      });
    }
  }

  void fill(const double* memory, const Block& block, const Strip& strip, std::int64_t first, std::int64_t vectors,
            const KernelValues& values) const {
    const double* const norms = memory;
    const double* const packed = memory + block.count;
    const std::int64_t panels = (vectors + kernels.panel_cols - 1) / kernels.panel_cols;
    bool large = false;
    for (int i = 0; i < strip.height; ++i) large = large || !(norms[strip.begin + i] <= kMostNorm);
    if (large) overflowed = true;
    // Where norms overflow, infinity less infinity would be a distance.
    const bool by_differences = y.kernel.kind == KernelKind::rbf && (y.by_differences || large);
    const auto compare = by_differences ? kernels.differences : kernels.products;
    for (std::int64_t d = 0; d < depths.count; ++d) {
      const std::int64_t feature = y.features > 0 ? depths.begin(d) : 0;
      const std::int64_t depth = y.features > 0 ? depths.begin(d + 1) - feature : 0;
      const double* const panel = y.panels.data() + first * y.features + feature * kernels.panel_cols;
      for_each_tile(strip, [&](std::int64_t begin, int height) {
        compare(packed + begin * y.features + feature * height, height, panel, panels, y.features, depth, d > 0,
                {values.data + (begin - strip.begin) * values.stride, values.stride});
      });
    }
    for (int i = 0; i < strip.height; ++i) {
      kernels.apply(y.kernel, by_differences ? 0.0 : norms[strip.begin + i],
                    by_differences ? nullptr : y.norms.data() + first, vectors, values.data + i * values.stride);
    }
  }
};

template <class Vectors>
bool decide_by(const PackedVectors& y, const Vectors& samples, const DecisionTask& task, bool& overflowed) {
  if (samples.count() == 0) return true;
  std::atomic<bool> large{false};
  const PackedValues<Vectors> values(y, samples, large);
  const bool finished = decide_blocks(values, samples.count(), y.count, values.block_samples, task);
  overflowed = large;
  return finished;
}

}  // namespace

const double* SparseVectors::block(std::int64_t begin, std::int64_t count, double* memory) const {
  std::fill(memory, memory + count * rows.cols, 0.0);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int32_t p = rows.offsets[begin + i]; p < rows.offsets[begin + i + 1]; ++p) {
      memory[i * rows.cols + rows.indices[p]] += rows.values[p];
    }
  }
  return memory;
}

template <class Vectors>
void PackedVectors::pack(const Vectors& vectors) {
  const DecisionKernels& kernels = decision_kernels();
  const std::int64_t cols = kernels.panel_cols;
  panels = Buffer<double>(rounded_up(count, cols) * features);
  norms = Buffer<double>(rounded_up(count, cols));
  std::vector<double> memory(Vectors::is_copied ? cols * features : 0);
  for (std::int64_t first = 0; first < count; first += cols) {
    const std::int64_t some = std::min(cols, count - first);
    kernels.pack_panel(vectors.block(first, some, memory.data()), vectors.stride(), some, features,
                       center.empty() ? nullptr : center.data(), panels.data() + first * features,
                       norms.data() + first);
  }
  const auto is_number = [](double norm) { return norm == norm; };
  most_norm = std::all_of(norms.begin(), norms.end(), is_number)
                  ? std::accumulate(norms.begin(), norms.end(), 0.0, [](double a, double b) { return std::max(a, b); })
                  : std::numeric_limits<double>::infinity();
}

PackedVectors::PackedVectors(const Kernel& kernel_, const DenseVectors& vectors)
    : kernel(kernel_), count(vectors.count()), features(vectors.features()) {
  center_and_pack(vectors);
}

PackedVectors::PackedVectors(const Kernel& kernel_, const SparseVectors& vectors)
    : kernel(kernel_), count(vectors.count()), features(vectors.features()) {
  center_and_pack(vectors);
}

template <class Vectors>
void PackedVectors::center_and_pack(const Vectors& vectors) {
  if (kernel.kind == KernelKind::rbf && count > 0) center = mean_of(vectors);
  pack(vectors);
  by_differences = kernel.kind == KernelKind::rbf && !(kernel.gamma * most_norm <= kMostSpread);
  if (by_differences) {
    // Shifting would round what is to be subtracted exactly.
    center.clear();
    pack(vectors);
  }
}

bool PackedVectors::decide(const DenseVectors& samples, const DecisionTask& task, bool& overflowed) const {
  return decide_by(*this, samples, task, overflowed);
}

bool PackedVectors::decide(const SparseVectors& samples, const DecisionTask& task, bool& overflowed) const {
  return decide_by(*this, samples, task, overflowed);
}

}  // namespace fastml::svm
