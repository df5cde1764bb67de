// What every k-means driver shares: the data as given, centres made ready for the kernels, chunks over threads.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/kmeans.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stop.hpp"

namespace fastml {

// Dense rows or CSR; exactly one of the two is set. `shift` (dense only) is subtracted from every row on the fly.
template <class T>
struct KMeansData {
  Rows<const T> dense;
  Csr<T> sparse;
  bool is_sparse;
  const T* shift;    // cols elements, or nullptr
  const T* weights;  // rows elements, or nullptr for ones

  std::int64_t rows() const { return is_sparse ? sparse.rows : dense.rows; }
  std::int64_t cols() const { return is_sparse ? sparse.cols : dense.cols; }
};

// Zero-padded copy of the shift: kernels read it by whole vectors.
template <class T>
std::vector<T> padded_shift(const KMeansData<T>& data);

// Centres packed for the row tiles (dense) or transposed (CSR), and their squared norms.
template <class T>
class PackedCenters {
 public:
  PackedCenters(std::int64_t clusters, std::int64_t cols, bool is_sparse);
  void set(const T* centers);

  const T* packed() const { return packed_.data(); }
  const T* norms() const { return norms_.data(); }
  std::int64_t clusters() const { return clusters_; }
  std::int64_t stride() const { return stride_; }
  T max_norm() const;

 private:
  std::int64_t clusters_, cols_, stride_;
  bool is_sparse_;
  Buffer<T> packed_, norms_;
};

// Centres for distances in double: -2 * centres packed for the row tiles (dense), or transposed and zero-padded (CSR), and
// their squared norms.
struct DistanceTable {
  Buffer<double> packed, norms;
  std::int64_t stride;  // CSR only: elements between the entries of two features
};
template <class T>
DistanceTable distance_table(const T* centers, std::int64_t count, std::int64_t cols, bool is_sparse);

// Rows cut into chunks, dealt to threads in turn (chunk c to thread c mod threads): results do not depend on timing.
struct Chunks {
  std::int64_t rows, chunk_rows, count;
  int threads;

  // `row_work`: multiply-adds a row costs; `max_threads`: at most this many.
  Chunks(std::int64_t rows, std::int64_t row_work, int max_threads);
};

// Runs body(thread, begin, end) for every chunk. The calling thread asks `stop` between its chunks; returns false when it said
// stop (the chunks not yet begun are then left out).
template <class Body>
bool for_each_chunk(const Chunks& chunks, StopCheck stop, const Body& body) {
  bool stopped = false;
#pragma omp parallel num_threads(chunks.threads) if (chunks.threads > 1)
  {
#pragma omp for schedule(static, 1)
    for (int thread = 0; thread < chunks.threads; ++thread) {
      for (std::int64_t c = thread; c < chunks.count; c += chunks.threads) {
        bool leave;
#pragma omp atomic read
        leave = stopped;
        if (leave) break;
        const std::int64_t begin = c * chunks.chunk_rows;
        const std::int64_t end = begin + chunks.chunk_rows < chunks.rows ? begin + chunks.chunk_rows : chunks.rows;
        body(thread, begin, end);
        // Thread 0 of the team is the caller, which may call back into its interpreter.
        if (thread == 0 && stop != nullptr && stop()) {
#pragma omp atomic write
          stopped = true;
        }
      }
    }
  }
  return !stopped;
}

}  // namespace fastml
