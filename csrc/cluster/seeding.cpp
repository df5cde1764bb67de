#include "cluster/seeding.hpp"

#include <algorithm>
#include <numeric>

namespace fastml {

template <class T>
Seeding<T>::Seeding(const KMeansData<T>& data, int threads)
    : data_(data), threads_(threads), shift_(padded_shift(data)) {
  data_.shift = shift_.empty() ? nullptr : shift_.data();
  if (!data.is_sparse) return;
  row_norms_.resize(data.rows());
  for (std::int64_t i = 0; i < data.rows(); ++i) row_norms_[i] = squared_norm(data.sparse, i);
}

template <class T>
void Seeding<T>::row(std::int64_t index, T* out) const {
  const std::int64_t cols = data_.cols();
  if (data_.is_sparse) {
    std::fill(out, out + cols, T(0));
    for (std::int32_t p = data_.sparse.offsets[index]; p < data_.sparse.offsets[index + 1]; ++p) {
      out[data_.sparse.indices[p]] += data_.sparse.values[p];
    }
    return;
  }
  const T* x = data_.dense.data + index * data_.dense.stride;
  for (std::int64_t f = 0; f < cols; ++f) out[f] = T(x[f] - (data_.shift ? data_.shift[f] : T(0)));
}

template <class T>
bool Seeding<T>::distances(const std::int64_t* candidates, std::int64_t count, const T* closest, T* out,
                           StopCheck stop) {
  const std::int64_t cols = data_.cols(), rows = data_.rows();
  std::vector<T> centers(count * cols);
  for (std::int64_t t = 0; t < count; ++t) row(candidates[t], centers.data() + t * cols);
  const auto& kernels = kmeans_kernels<T>();
  const DistanceTable table = distance_table(centers.data(), count, cols, data_.is_sparse);
  const Chunks chunks(rows, count * cols, threads_);
  const std::int64_t scratch_size = whole_lines<double>(data_.is_sparse ? table.stride : kernels.panel_size_f64(cols));
  Buffer<double> scratch(chunks.threads * scratch_size);
  return for_each_chunk(chunks, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
    double* buffer = scratch.data() + thread * scratch_size;
    if (!data_.is_sparse) {
      kernels.candidate_distances(
          {data_.dense, data_.shift, table.packed.data(), table.norms.data(), count, closest, out, rows, buffer}, begin,
          end);
      return;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      kernels.csr_distances(data_.sparse, i, row_norms_[i], table.packed.data(), table.norms.data(), table.stride,
                            buffer);
      for (std::int64_t t = 0; t < count; ++t) {
        const T squared = T(buffer[t]);
        out[t * rows + i] = closest != nullptr ? std::min(closest[i], squared) : squared;
      }
    }
  });
}

template <class T>
void search_cumulative(const T* closest, const T* weights, std::int64_t rows, const double* draws, std::int64_t count,
                       std::int64_t* out) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return draws[a] < draws[b]; });
  std::int64_t next = 0;
  T sum = 0;
  for (std::int64_t i = 0; i < rows && next < count; ++i) {
    sum += weights != nullptr ? T(weights[i] * closest[i]) : closest[i];
    while (next < count && double(sum) >= draws[order[next]]) out[order[next++]] = i;
  }
  while (next < count) out[order[next++]] = rows - 1;
}

#define FASTML_INSTANTIATE(T) \
  template class Seeding<T>;  \
  template void search_cumulative(const T*, const T*, std::int64_t, const double*, std::int64_t, std::int64_t*);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace fastml
