#include "cluster/model.hpp"

#include <algorithm>

#include "cluster/tuning.hpp"

namespace fastml {
namespace {

constexpr std::int64_t kWidestVector = 16;  // elements of f32 at AVX-512

std::int64_t round_up(std::int64_t x, std::int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

// table[f * stride + j] = -2 * centers[j][f]
template <class T, class Acc>
void transpose_centers(const T* centers, std::int64_t count, std::int64_t cols, std::int64_t stride, Acc* table) {
  for (std::int64_t f = 0; f < cols; ++f) {
    for (std::int64_t j = 0; j < count; ++j) table[f * stride + j] = Acc(-2) * Acc(centers[j * cols + f]);
  }
}

}  // namespace

template <class T>
std::vector<T> padded_shift(const KMeansData<T>& data) {
  if (data.shift == nullptr) return {};
  std::vector<T> shift(round_up(data.cols(), kWidestVector), T(0));
  std::copy(data.shift, data.shift + data.cols(), shift.begin());
  return shift;
}

template <class T>
PackedCenters<T>::PackedCenters(std::int64_t clusters, std::int64_t cols, bool is_sparse)
    : clusters_(clusters),
      cols_(cols),
      stride_(round_up(clusters, kWidestVector)),
      is_sparse_(is_sparse),
      packed_((is_sparse ? stride_ : clusters) * cols),
      norms_(stride_) {}

template <class T>
void PackedCenters<T>::set(const T* centers) {
  for (std::int64_t j = 0; j < clusters_; ++j) {
    double norm = 0;
    for (std::int64_t f = 0; f < cols_; ++f) norm += double(centers[j * cols_ + f]) * double(centers[j * cols_ + f]);
    norms_.data()[j] = T(norm);
  }
  if (!is_sparse_) {
    kmeans_kernels<T>().pack_centers(centers, clusters_, cols_, packed_.data());
    return;
  }
  transpose_centers(centers, clusters_, cols_, stride_, packed_.data());
}

template <class T>
DistanceTable distance_table(const T* centers, std::int64_t count, std::int64_t cols, bool is_sparse) {
  const std::int64_t stride = round_up(count, kWidestVector);
  DistanceTable table{Buffer<double>((is_sparse ? stride : count) * cols), Buffer<double>(stride), stride};
  if (!is_sparse) {
    kmeans_kernels<T>().pack_centers_f64(centers, count, cols, table.packed.data(), table.norms.data());
    return table;
  }
  transpose_centers(centers, count, cols, stride, table.packed.data());
  for (std::int64_t i = 0; i < count * cols; ++i)
    table.norms.data()[i / cols] += double(centers[i]) * double(centers[i]);
  return table;
}

template <class T>
T PackedCenters<T>::max_norm() const {
  return *std::max_element(norms_.data(), norms_.data() + clusters_);
}

Chunks::Chunks(std::int64_t rows_, std::int64_t row_work, int max_threads) : rows(rows_) {
  const std::int64_t work = rows * std::max<std::int64_t>(row_work, 1);
  const std::int64_t worth = std::max<std::int64_t>(work / kKMeansWorkPerThread, 1);
  threads = int(std::min<std::int64_t>(std::max(max_threads, 1), worth));
  // At least four chunks a thread where there are rows enough, for balance.
  chunk_rows = std::min(kKMeansChunkRows, kKMeansChunkWork / std::max<std::int64_t>(row_work, 1));
  chunk_rows = std::min(chunk_rows, rows / (4 * threads));
  chunk_rows = round_up(std::max<std::int64_t>(chunk_rows, 64), 64);
  count = (rows + chunk_rows - 1) / chunk_rows;
  threads = int(std::min<std::int64_t>(threads, std::max<std::int64_t>(count, 1)));
}

template std::vector<float> padded_shift(const KMeansData<float>&);
template std::vector<double> padded_shift(const KMeansData<double>&);
template DistanceTable distance_table(const float*, std::int64_t, std::int64_t, bool);
template DistanceTable distance_table(const double*, std::int64_t, std::int64_t, bool);
template class PackedCenters<float>;
template class PackedCenters<double>;

}  // namespace fastml
