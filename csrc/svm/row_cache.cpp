#include "svm/row_cache.hpp"

#include <algorithm>

#include "runtime/buffer.hpp"
#include "runtime/memory.hpp"
#include "svm/tuning.hpp"

namespace fastml::svm {

namespace {

// Small problems may be many: for their memory the pool's lock and its granules would be too much.
Block take(std::size_t bytes) {
  return bytes < kLeastPooledBytes ? Block{allocate_aligned(bytes), bytes} : take_block(bytes);
}

}  // namespace

void RowCache::GiveBack::operator()(float* slab) const {
  if (bytes < kLeastPooledBytes) {
    free_aligned(slab, bytes);
  } else {
    give_block({slab, bytes});
  }
}

RowCache::RowCache(KernelRows& rows, std::vector<std::int32_t> columns, std::int64_t bytes)
    : rows_(rows),
      kernels_(smo_kernels()),
      columns_(std::move(columns)),
      places_(std::int64_t(columns_.size())),
      stride_(whole_lines<float>(places_)),
      in_order_(places_ % std::max<std::int64_t>(1, rows.columns()) == 0),
      by_column_(0),
      slot_of_(rows.columns(), -1) {
  const std::int64_t row_bytes = std::max<std::int64_t>(stride_, 1) * std::int64_t(sizeof(float));
  capacity_ = std::clamp<std::int64_t>(bytes / row_bytes, kLeastKeptRows, std::max(kLeastKeptRows, rows.columns()));
  slab_rows_ = std::clamp<std::int64_t>(kSlabBytes / row_bytes, 1, capacity_);
  // Of one size wherever rows do not all fit into one, so that a cache after this finds them again.
  slab_bytes_ = slab_rows_ < capacity_ ? std::max(kSlabBytes, row_bytes) : slab_rows_ * row_bytes;
  // Guesses must not push out what is used.
  batch_ = int(std::min<std::int64_t>(rows.batch(), capacity_ / 4));
  for (std::int64_t k = 0; k < places_ && in_order_; ++k) in_order_ = columns_[k] == k % rows.columns();
  batch_columns_.resize(batch_);
  batch_slots_.resize(batch_);
  batch_values_.resize(batch_);
  column_of_.assign(capacity_, -1);
  followed_.assign(capacity_, 0);
  is_guess_.assign(capacity_, 0);
  worthwhile_ = rows.worthwhile_guesses();
  before_.assign(capacity_ + 1, std::int32_t(capacity_));
  after_.assign(capacity_ + 1, std::int32_t(capacity_));
}

void RowCache::exchange(std::int64_t a, std::int64_t b) {
  in_order_ = false;
  std::swap(columns_[a], columns_[b]);
  exchanges_.emplace_back(std::int32_t(a), std::int32_t(b));
}

const float* RowCache::row(std::int32_t column, const Guess& guess) {
  if (is_kept(column)) {
    const std::int32_t slot = slot_of_[column];
    unlink(slot);
    push_front(slot);
    follow(slot);
    if (is_guess_[slot]) {
      is_guess_[slot] = 0;
      note_guess(true);
    }
  } else {
    add(column, guess);
  }
  return values(slot_of_[column]);
}

void RowCache::follow(std::int32_t slot) {
  float* row = values(slot);
  for (std::size_t& next = followed_[slot]; next < exchanges_.size(); ++next)
    std::swap(row[exchanges_[next].first], row[exchanges_[next].second]);
}

void RowCache::add(std::int32_t column, const Guess& guess) {
  std::int32_t* const columns = batch_columns_.data();
  std::int32_t* const slots = batch_slots_.data();
  float** const to = batch_values_.data();
  columns[0] = column;
  const int count = 1 + (batch_ > 1 ? guess(column, columns + 1, batch_ - 1) : 0);
  const std::int64_t stride = whole_lines<float>(rows_.columns());
  if (!in_order_ && by_column_.begin() == by_column_.end()) by_column_ = Buffer<float>(batch_ * stride);
  // All slots are taken before any is linked again, so that none is taken twice.
  for (int i = 0; i < count; ++i) {
    slots[i] = take_slot();
    to[i] = in_order_ ? values(slots[i]) : by_column_.data() + i * stride;
  }
  rows_.compute(columns, count, to);
  ++computed_;
  for (int i = count - 1; i >= 0; --i) {
    float* row = values(slots[i]);
    if (in_order_) {
      std::copy_n(row, places_ - rows_.columns(), row + rows_.columns());
    } else {
      kernels_.gather(to[i], columns_.data(), places_, row);
    }
    followed_[slots[i]] = exchanges_.size();
    is_guess_[slots[i]] = i > 0;
    slot_of_[columns[i]] = slots[i];
    column_of_[slots[i]] = columns[i];
    push_front(slots[i]);
  }
}

std::int32_t RowCache::take_slot() {
  if (used_ < capacity_) {
    if (used_ == std::int64_t(slabs_.size()) * slab_rows_) {
      const Block block = take(std::size_t(slab_bytes_));
      slabs_.push_back(Slab(static_cast<float*>(block.memory), GiveBack{block.bytes}));
    }
    return std::int32_t(used_++);
  }
  const std::int32_t oldest = before_[capacity_];
  unlink(oldest);
  slot_of_[column_of_[oldest]] = -1;
  if (is_guess_[oldest]) note_guess(false);
  return oldest;
}

// Where memory is short, guessed rows may be given up before they are used: fewer are then computed.
void RowCache::note_guess(bool was_used) {
  used_guesses_ += was_used;
  if (++guesses_seen_ < kGuessesToJudge) return;
  if (used_guesses_ < worthwhile_ * kGuessesToJudge) batch_ = std::max(1, batch_ / 2);
  used_guesses_ = guesses_seen_ = 0;
}

void RowCache::unlink(std::int32_t slot) {
  after_[before_[slot]] = after_[slot];
  before_[after_[slot]] = before_[slot];
}

void RowCache::push_front(std::int32_t slot) {
  const std::int32_t ends = std::int32_t(capacity_);
  before_[slot] = ends;
  after_[slot] = after_[ends];
  before_[after_[slot]] = slot;
  after_[ends] = slot;
}

}  // namespace fastml::svm
