#include "cluster/seeding.hpp"

#include <algorithm>
#include <numeric>

#include "cluster/predict.hpp"

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
  std::vector<double> norms(count);
  for (std::int64_t t = 0; t < count; ++t) {
    T* center = centers.data() + t * cols;
    row(candidates[t], center);
  }
  const Chunks chunks(rows, count * cols, threads_);
  if (data_.is_sparse) {
    // Candidates transposed: one pass over a row's stored values serves all of them.
    std::vector<double> transposed(cols * count);
    for (std::int64_t t = 0; t < count; ++t) {
      for (std::int64_t f = 0; f < cols; ++f) transposed[f * count + t] = -2 * double(centers[t * cols + f]);
    }
    for (std::int64_t i = 0; i < count * cols; ++i) norms[i / cols] += double(centers[i]) * double(centers[i]);
    std::vector<double> squares(chunks.threads * count);
    return for_each_chunk(chunks, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
      double* square = squares.data() + thread * count;
      for (std::int64_t i = begin; i < end; ++i) {
        csr_squared_distances(data_.sparse, i, row_norms_[i], transposed.data(), norms.data(), count, square);
        for (std::int64_t t = 0; t < count; ++t) {
          const T squared = T(square[t]);
          out[t * rows + i] = closest != nullptr ? std::min(closest[i], squared) : squared;
        }
      }
    });
  }
  const auto& kernels = kmeans_kernels<T>();
  std::vector<double> packed(count * cols);
  kernels.pack_centers_f64(centers.data(), count, cols, packed.data(), norms.data());
  const std::int64_t panel_size = kernels.panel_size_f64(cols);
  std::vector<double> panels(chunks.threads * panel_size);
  return for_each_chunk(chunks, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
    kernels.candidate_distances({data_.dense, data_.shift, packed.data(), norms.data(), count, closest, out, rows,
                                 panels.data() + thread * panel_size},
                                begin, end);
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
