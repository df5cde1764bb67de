"""The sequential parts of mini-batch k-means: drawing rows and moving centres.

Both follow scikit-learn step by step, so that the same seed gives the same batches and the same centres. They can be
read beside `sklearn/cluster/_k_means_minibatch.pyx`; what differs is that all clusters are served in one pass over the
batch, where scikit-learn makes one pass for each cluster. Within a cluster the order of additions is the same.
"""

import numpy as np

from cython cimport boundscheck, cdivision, floating, wraparound
from libc.stdint cimport int32_t


cdef class BatchSampler:
    """Rows drawn with replacement, with given probabilities: what `RandomState.choice(n, size, p=p)` draws.

    NumPy builds the cumulative distribution anew for every batch. It is built here once, with a table that says where
    to begin the search: about one look-up a draw instead of log2(n).

    Parameters
    ----------
    p : ndarray of shape (n_samples,)
        Probabilities, as they would be given to `choice`, which has accepted them before.
    """

    cdef double[::1] cumulative
    cdef Py_ssize_t[::1] first

    def __init__(self, p):
        cumulative = np.asarray(p, dtype=np.float64).cumsum()
        cumulative /= cumulative[-1]
        # first[g]: the least index that a draw in [g / n, (g + 1) / n) can give
        n_samples = cumulative.shape[0]
        edges = np.arange(n_samples) / n_samples
        self.cumulative = cumulative
        self.first = cumulative.searchsorted(edges, side="right")

    @boundscheck(False)
    @wraparound(False)
    def draw(self, random_state, Py_ssize_t size):
        """Draw `size` indices; `random_state` is left as `choice` would leave it."""
        cdef:
            double[::1] uniform = random_state.random_sample(size)
            Py_ssize_t n_samples = self.cumulative.shape[0]
            Py_ssize_t i, index, bucket
            double u
        indices = np.empty(size, dtype=np.intp)
        cdef Py_ssize_t[::1] out = indices
        with nogil:
            for i in range(size):
                u = uniform[i]
                bucket = <Py_ssize_t> (u * n_samples)
                if bucket >= n_samples:
                    bucket = n_samples - 1
                index = self.first[bucket]
                # The product may have been rounded up past the edge of the draw's own bucket.
                while index > 0 and self.cumulative[index - 1] > u:
                    index -= 1
                while index < n_samples - 1 and self.cumulative[index] <= u:
                    index += 1
                out[i] = index
        return indices


@boundscheck(False)
@wraparound(False)
@cdivision(True)
def update_centers_dense(
    const floating[:, ::1] X,
    const floating[::1] sample_weight,
    const floating[:, ::1] centers_old,
    floating[:, ::1] centers_new,
    floating[::1] weight_sums,
    const int32_t[::1] labels,
):
    """Move each centre to the mean of all rows it ever received, given those of this batch.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The batch.
    sample_weight : ndarray of shape (n_samples,)
        Its weights.
    centers_old : ndarray of shape (n_clusters, n_features)
        Centres before the batch.
    centers_new : ndarray of shape (n_clusters, n_features)
        Written: centres after the batch.
    weight_sums : ndarray of shape (n_clusters,)
        Updated: the weight each cluster has received.
    labels : ndarray of shape (n_samples,), int32
        The cluster of each row.
    """
    cdef:
        Py_ssize_t n_features = X.shape[1]
        Py_ssize_t i, f
        int32_t cluster
        floating weight
        floating[::1] received
    if floating is float:
        received = np.zeros(centers_old.shape[0], dtype=np.float32)
    else:
        received = np.zeros(centers_old.shape[0], dtype=np.float64)
    with nogil:
        for i in range(X.shape[0]):
            received[labels[i]] += sample_weight[i]
        begin_update(centers_old, centers_new, weight_sums, received)
        for i in range(X.shape[0]):
            cluster = labels[i]
            weight = sample_weight[i]
            if received[cluster] > 0:
                for f in range(n_features):
                    centers_new[cluster, f] += X[i, f] * weight
        end_update(centers_new, weight_sums, received)


@boundscheck(False)
@wraparound(False)
@cdivision(True)
def update_centers_csr(
    const floating[::1] data,
    const int32_t[::1] indices,
    const int32_t[::1] indptr,
    const floating[::1] sample_weight,
    const floating[:, ::1] centers_old,
    floating[:, ::1] centers_new,
    floating[::1] weight_sums,
    const int32_t[::1] labels,
):
    """As `update_centers_dense`, for a CSR batch given by its three arrays."""
    cdef:
        Py_ssize_t i, p
        int32_t cluster
        floating weight
        floating[::1] received
    if floating is float:
        received = np.zeros(centers_old.shape[0], dtype=np.float32)
    else:
        received = np.zeros(centers_old.shape[0], dtype=np.float64)
    with nogil:
        for i in range(labels.shape[0]):
            received[labels[i]] += sample_weight[i]
        begin_update(centers_old, centers_new, weight_sums, received)
        for i in range(labels.shape[0]):
            cluster = labels[i]
            weight = sample_weight[i]
            if received[cluster] > 0:
                for p in range(indptr[i], indptr[i + 1]):
                    centers_new[cluster, indices[p]] += data[p] * weight
        end_update(centers_new, weight_sums, received)


@boundscheck(False)
@wraparound(False)
cdef void begin_update(
    const floating[:, ::1] centers_old,
    floating[:, ::1] centers_new,
    const floating[::1] weight_sums,
    const floating[::1] received,
) noexcept nogil:
    """Undo the division by the weight so far, where a cluster has received rows."""
    cdef Py_ssize_t j, f
    for j in range(centers_old.shape[0]):
        for f in range(centers_old.shape[1]):
            if received[j] > 0:
                centers_new[j, f] = centers_old[j, f] * weight_sums[j]
            else:
                centers_new[j, f] = centers_old[j, f]


@boundscheck(False)
@wraparound(False)
@cdivision(True)
cdef void end_update(
    floating[:, ::1] centers_new,
    floating[::1] weight_sums,
    const floating[::1] received,
) noexcept nogil:
    """Divide by the weight with this batch's."""
    cdef:
        Py_ssize_t j, f
        floating scale
    for j in range(centers_new.shape[0]):
        if received[j] > 0:
            weight_sums[j] += received[j]
            scale = 1 / weight_sums[j]
            for f in range(centers_new.shape[1]):
                centers_new[j, f] *= scale
