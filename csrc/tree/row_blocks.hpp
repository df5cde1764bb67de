// Blocks of samples as the walks want them. Each thread has one object of these, and scratch of its own.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tree/forest_predict.hpp"
#include "tree/packed_tree.hpp"
#include "tree/predict_tuning.hpp"
#include "tree/walk_nodes.hpp"

namespace fastml::tree {

// A chunk of samples as blocks for the packed walk: transposed, or C-contiguous rows, dense ones where they are.
class PackedBlocks {
 public:
  // Rows in place need no pass over features that no tree asks for; the crown needs transposed ones.
  static bool transposes(const Samples& x, std::int64_t trees) {
    if (x.is_sparse) return x.cols <= kTransposedSparseFeatures;
    return x.col_stride != 1 || x.cols <= kFeaturesWorthTransposing * trees;
  }
  static std::int64_t scratch_size(const Samples& x, bool transposes, std::int64_t chunk_rows) {
    return transposes || x.is_sparse ? chunk_rows * x.cols : 0;
  }
  // Rows of a chunk of sparse samples that are not transposed: a block.
  static std::int64_t rows_at_once(const Samples& x) {
    return std::clamp<std::int64_t>(kSparseRowFloats / std::max<std::int64_t>(x.cols, 1), 1, kBlockRows);
  }

  // `scratch`: scratch_size zeros. Chunks have chunk_rows rows at most, a multiple of kBlockRows or rows_at_once().
  PackedBlocks(const Samples& x, bool transposes, float* scratch) : x_(x), transposes_(transposes), scratch_(scratch) {}

  void load(std::int64_t begin, std::int64_t end) {
    if (x_.is_sparse) clear();
    begin_ = begin;
    end_ = end;
    if (!transposes_ && !x_.is_sparse) return;
    for (std::int64_t block = 0; begin + block * kBlockRows < end; ++block) {
      const std::int64_t first = begin + block * kBlockRows, rows = rows_of(block);
      if (x_.is_sparse) {
        has_nan_[block] = false;
        for (std::int64_t i = 0; i < rows; ++i) has_nan_[block] |= scatter(first + i, to(block) + i * row_step());
      } else {
        has_nan_[block] =
            kernels_.transpose(x_.data + first * x_.row_stride, rows, x_.cols, x_.row_stride, x_.col_stride, to(block));
      }
    }
  }

  std::int64_t count() const { return (end_ - begin_ + kBlockRows - 1) / kBlockRows; }
  RowBlock operator[](std::int64_t block) const {
    const std::int64_t rows = rows_of(block);
    if (transposes_ || x_.is_sparse) {
      return {to(block), rows, row_step() * std::int64_t(sizeof(float)), transposes_, has_nan_[block]};
    }
    const float* rows_in_place = x_.data + (begin_ + block * kBlockRows) * x_.row_stride;
    return {rows_in_place, rows, x_.row_stride * std::int64_t(sizeof(float)), false, true};
  }

 private:
  std::int64_t rows_of(std::int64_t block) const {
    return std::min<std::int64_t>(end_ - begin_ - block * kBlockRows, kBlockRows);
  }
  // Between rows, and between features, of what is copied.
  std::int64_t row_step() const { return transposes_ ? 1 : x_.cols; }
  std::int64_t feature_step() const { return transposes_ ? kBlockRows : 1; }
  float* to(std::int64_t block) const { return scratch_ + block * kBlockRows * x_.cols; }

  // Returns whether any value is NaN.
  bool scatter(std::int64_t row, float* to) const {
    const Csr<float>& csr = x_.sparse;
    bool has_nan = false;
    for (std::int32_t p = csr.offsets[row]; p < csr.offsets[row + 1]; ++p) {
      to[std::int64_t(csr.indices[p]) * feature_step()] = csr.values[p];
      has_nan |= csr.values[p] != csr.values[p];
    }
    return has_nan;
  }
  // Only what the last chunk stored is not zero.
  void clear() const {
    const Csr<float>& csr = x_.sparse;
    for (std::int64_t row = begin_; row < end_; ++row) {
      float* at = to((row - begin_) / kBlockRows) + (row - begin_) % kBlockRows * row_step();
      for (std::int32_t p = csr.offsets[row]; p < csr.offsets[row + 1]; ++p)
        at[std::int64_t(csr.indices[p]) * feature_step()] = 0;
    }
  }

  const Samples& x_;
  const bool transposes_;
  float* const scratch_;
  const ForestKernels& kernels_ = forest_kernels();
  std::int64_t begin_ = 0, end_ = 0;
  bool has_nan_[kPredictChunkRows / kBlockRows];
};

// Rows one after the other, for walking nodes as they are.
class PlainRows {
 public:
  static bool copies(const Samples& x) { return x.is_sparse || x.col_stride != 1; }
  static std::int64_t most_rows(const Samples& x) {
    if (!copies(x)) return kMostWalks;
    return std::clamp<std::int64_t>(kPlainFloats / std::max<std::int64_t>(x.cols, 1), 1, kMostWalks);
  }
  static std::int64_t scratch_size(const Samples& x) { return copies(x) ? most_rows(x) * x.cols : 0; }

  // `scratch`: scratch_size zeros.
  PlainRows(const Samples& x, float* scratch) : x_(x), scratch_(scratch) {}

  // Rows [begin, end), most_rows at most; they hold until the next call.
  Rows<const float> load(std::int64_t begin, std::int64_t end) {
    const float* from = x_.data + begin * x_.row_stride;
    if (!copies(x_)) return {from, end - begin, x_.cols, x_.row_stride};
    if (x_.is_sparse) {
      clear();
      for (std::int64_t i = begin; i < end; ++i) scatter(i, scratch_ + (i - begin) * x_.cols, false);
      begin_ = begin;
      end_ = end;
    } else {
      for (std::int64_t i = 0; i < end - begin; ++i) {
        for (std::int64_t f = 0; f < x_.cols; ++f)
          scratch_[i * x_.cols + f] = from[i * x_.row_stride + f * x_.col_stride];
      }
    }
    return {scratch_, end - begin, x_.cols, x_.cols};
  }

  // Leaves the scratch as it was.
  void clear() {
    for (std::int64_t i = begin_; i < end_; ++i) scatter(i, scratch_ + (i - begin_) * x_.cols, true);
    begin_ = end_ = 0;
  }

 private:
  void scatter(std::int64_t row, float* to, bool zeros) {
    const Csr<float>& csr = x_.sparse;
    for (std::int32_t p = csr.offsets[row]; p < csr.offsets[row + 1]; ++p)
      to[csr.indices[p]] = zeros ? 0.0f : csr.values[p];
  }

  const Samples& x_;
  float* const scratch_;
  std::int64_t begin_ = 0, end_ = 0;  // sparse rows in the scratch
};

}  // namespace fastml::tree
