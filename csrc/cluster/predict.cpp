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
  std::int64_t scratch_size = data.is_sparse ? packed.stride() : kernels.panel_size(data.cols());
  scratch_size = (scratch_size + 15) / 16 * 16;
  std::vector<T> scratch(chunks.threads * scratch_size);
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
void csr_squared_distances(const Csr<T>& x, std::int64_t row, double row_norm, const double* transposed,
                           const double* norms, std::int64_t count, double* out) {
  for (std::int64_t t = 0; t < count; ++t) out[t] = norms[t];
  for (std::int32_t p = x.offsets[row]; p < x.offsets[row + 1]; ++p) {
    const double value = double(x.values[p]);
    const double* column = transposed + x.indices[p] * count;
    for (std::int64_t t = 0; t < count; ++t) out[t] += value * column[t];
  }
  for (std::int64_t t = 0; t < count; ++t) out[t] = std::max(out[t] + row_norm, 0.0);
}

template <class T>
bool transform(const KMeansData<T>& data, const T* centers, std::int64_t clusters, int threads, T* out,
               StopCheck stop) {
  const std::int64_t cols = data.cols();
  const auto& kernels = kmeans_kernels<T>();
  std::vector<double> packed(clusters * cols), norms(clusters);
  const Chunks chunks(data.rows(), clusters * cols, threads);
  if (data.is_sparse) {
    for (std::int64_t i = 0; i < clusters * cols; ++i) norms[i / cols] += double(centers[i]) * double(centers[i]);
    for (std::int64_t i = 0; i < clusters * cols; ++i) packed[i % cols * clusters + i / cols] = -2 * double(centers[i]);
    std::vector<double> squared(chunks.threads * clusters);
    return for_each_chunk(chunks, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
      double* row = squared.data() + thread * clusters;
      for (std::int64_t i = begin; i < end; ++i) {
        csr_squared_distances(data.sparse, i, squared_norm(data.sparse, i), packed.data(), norms.data(), clusters, row);
        for (std::int64_t j = 0; j < clusters; ++j) out[i * clusters + j] = T(std::sqrt(double(T(row[j]))));
      }
    });
  }
  kernels.pack_centers_f64(centers, clusters, cols, packed.data(), norms.data());
  const std::int64_t panel_size = kernels.panel_size_f64(cols);
  std::vector<double> panels(chunks.threads * panel_size);
  return for_each_chunk(chunks, stop, [&](int thread, std::int64_t begin, std::int64_t end) {
    kernels.center_distances(
        {data.dense, packed.data(), norms.data(), clusters, out, panels.data() + thread * panel_size}, begin, end);
  });
}

#define FASTML_INSTANTIATE(T)                                                                                          \
  template bool predict_labels(const KMeansData<T>&, const T*, std::int64_t, int, std::int32_t*, StopCheck);           \
  template double inertia(const KMeansData<T>&, const T*, std::int64_t, const std::int32_t*, int, T*);                 \
  template double inertia_csr(const Csr<T>&, const T*, const T*, const double*, const std::int32_t*, std::int64_t,     \
                              std::int64_t, T*);                                                                       \
  template void csr_squared_distances(const Csr<T>&, std::int64_t, double, const double*, const double*, std::int64_t, \
                                      double*);                                                                        \
  template bool transform(const KMeansData<T>&, const T*, std::int64_t, int, T*, StopCheck);
FASTML_INSTANTIATE(float)
FASTML_INSTANTIATE(double)
#undef FASTML_INSTANTIATE

}  // namespace fastml
