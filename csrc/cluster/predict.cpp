#include "cluster/predict.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fastml {

template <class T>
bool predict_labels(const KMeansData<T>& given, const T* centers, std::int64_t clusters, int threads,
                    std::int32_t* labels, StopCheck stop) {
  KMeansData<T> data = given;
  const std::vector<T> shift = padded_shift(data);
  data.shift = shift.empty() ? nullptr : shift.data();
  PackedCenters<T> packed(clusters, data.cols(), data.is_sparse);
  packed.set(centers);
  const Chunks chunks(data.rows(), clusters * data.cols(), threads);
  const auto& kernels = kmeans_kernels<T>();
  const std::int64_t scratch_size = whole_lines<T>(data.is_sparse ? packed.stride() : kernels.panel_size(data.cols()));
  Buffer<T> scratch(chunks.threads * scratch_size);
  std::vector<std::int64_t> selected(data.is_sparse ? 0 : chunks.threads * chunks.chunk_rows);
  const ClusterSums no_sums{nullptr, nullptr, nullptr};
  const Bounds<T> no_bounds{nullptr, nullptr, false, 0.0, T(0)};
  return for_each_chunk(chunks, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
    T* buffer = scratch.data() + thread * scratch_size;
    for (std::int64_t i = begin; i < end; ++i) labels[i] = -1;
    if (data.is_sparse) {
      kernels.assign_csr({data.sparse, nullptr, packed.packed(), packed.stride(), packed.norms(), clusters, labels,
                          no_sums, false, buffer},
                         begin, end);
    } else {
      kernels.assign_dense({data.dense, data.shift, nullptr, packed.packed(), packed.norms(), clusters, labels,
                            no_bounds, no_sums, false, buffer, selected.data() + thread * chunks.chunk_rows},
                           begin, end);
    }
  });
}

template <class T>
double inertia_csr(const Csr<T>& x, const T* weights, const T* centers, const double* norms, const std::int32_t* labels,
                   std::int64_t begin, std::int64_t end, T* each) {
  double total = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const T* center = centers + labels[i] * x.cols;
    double squared = norms[labels[i]];
    for (std::int32_t p = x.offsets[i]; p < x.offsets[i + 1]; ++p) {
      const double value = double(x.values[p]);
      squared += value * (value - 2 * double(center[x.indices[p]]));
    }
    if (squared < 0) squared = 0;
    if (each != nullptr) each[i] = T(squared);
    total += squared * (weights ? double(weights[i]) : 1.0);
  }
  return total;
}

template <class T>
double inertia(const KMeansData<T>& given, const T* centers, std::int64_t clusters, const std::int32_t* labels,
               int threads, T* each) {
  KMeansData<T> data = given;
  const std::vector<T> shift = padded_shift(data);
  data.shift = shift.empty() ? nullptr : shift.data();
  std::vector<double> norms(data.is_sparse ? clusters : 0);
  if (data.is_sparse) {
    for (std::int64_t i = 0; i < clusters * data.cols(); ++i)
      norms[i / data.cols()] += double(centers[i]) * double(centers[i]);
  }
  const Chunks chunks(data.rows(), data.cols(), threads);
  std::vector<double> parts(chunks.count);
  for_each_chunk(chunks, nullptr, [&](int, std::int64_t begin, std::int64_t end) {
    parts[begin / chunks.chunk_rows] =
        data.is_sparse ? inertia_csr(data.sparse, data.weights, centers, norms.data(), labels, begin, end, each)
                       : kmeans_kernels<T>().inertia_dense(data.dense, data.shift, data.weights, centers, labels, begin,
                                                           end, each);
  });
  double total = 0;
  for (double part : parts) total += part;  // in the order of rows, whatever the threads did
  return total;
}

template <class T>
bool transform(const KMeansData<T>& data, const T* centers, std::int64_t clusters, int threads, T* out,
               StopCheck stop) {
  const auto& kernels = kmeans_kernels<T>();
  const DistanceTable table = distance_table(centers, clusters, data.cols(), data.is_sparse);
  const Chunks chunks(data.rows(), clusters * data.cols(), threads);
  const std::int64_t scratch_size =
      whole_lines<double>(data.is_sparse ? table.stride : kernels.panel_size_f64(data.cols()));
  Buffer<double> scratch(chunks.threads * scratch_size);
  return for_each_chunk(chunks, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
    double* buffer = scratch.data() + thread * scratch_size;
    if (!data.is_sparse) {
      kernels.center_distances({data.dense, table.packed.data(), table.norms.data(), clusters, out, buffer}, begin,
                               end);
      return;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      kernels.csr_distances(data.sparse, i, squared_norm(data.sparse, i), table.packed.data(), table.norms.data(),
                            table.stride, buffer);
      for (std::int64_t j = 0; j < clusters; ++j) out[i * clusters + j] = T(std::sqrt(double(T(buffer[j]))));
    }
  });
}

#define FASTML_INSTANTIATE(T)                                                                                      \
  template bool predict_labels(const KMeansData<T>&, const T*, std::int64_t, int, std::int32_t*, StopCheck);       \
  template double inertia(const KMeansData<T>&, const T*, std::int64_t, const std::int32_t*, int, T*);             \
  template double inertia_csr(const Csr<T>&, const T*, const T*, const double*, const std::int32_t*, std::int64_t, \
                              std::int64_t, T*);                                                                   \
  template bool transform(const KMeansData<T>&, const T*, std::int64_t, int, T*, StopCheck);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace fastml
