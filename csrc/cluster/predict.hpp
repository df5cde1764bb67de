// Labels, inertia and distances for centres that stay as they are.
#pragma once

#include <cstdint>

#include "cluster/model.hpp"

namespace fastml {

// Closest centre of each row. Returns false when stopped.
template <class T>
bool predict_labels(const KMeansData<T>& data, const T* centers, std::int64_t clusters, int threads,
                    std::int32_t* labels, StopCheck stop);

// Sum of weight * squared distance to the labelled centre. `each` (or nullptr) receives every row's squared distance.
template <class T>
double inertia(const KMeansData<T>& data, const T* centers, std::int64_t clusters, const std::int32_t* labels,
               int threads, T* each);

// One chunk of CSR rows of inertia(). `norms` holds |c|^2.
template <class T>
double inertia_csr(const Csr<T>& x, const T* weights, const T* centers, const double* norms, const std::int32_t* labels,
                   std::int64_t begin, std::int64_t end, T* each);

// Euclidean distances of rows to every centre, rows x clusters, computed in double. `data.shift` and `data.weights` are not
// used. Returns false when stopped.
template <class T>
bool transform(const KMeansData<T>& data, const T* centers, std::int64_t clusters, int threads, T* out, StopCheck stop);

}  // namespace fastml
