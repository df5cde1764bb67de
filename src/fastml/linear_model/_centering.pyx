# cython: boundscheck=False, wraparound=False, cdivision=True
"""Samples centred and weighted, written column after column."""

from cython cimport floating


def center_columns(
    const floating[:, :] X,
    const floating[::1] offset,
    const floating[::1] scale,
    floating[::1, :] out,
    double[::1] norms2,
    Py_ssize_t first,
    Py_ssize_t last,
):
    """Write some columns of X to where columns lie side by side: out = (X - offset) * scale, and their squared lengths.

    A cache line of a row is read once, and columns are written in runs of some lines: whatever the number of columns,
    neither side falls out of the cache on the way.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        In any order.
    offset : ndarray of shape (n_features,)
        What is taken off the columns.
    scale : ndarray of shape (n_samples,) or None
        What the rows are multiplied with.
    out : ndarray of shape (n_samples, n_features)
        Fortran-contiguous.
    norms2 : ndarray of shape (n_features,)
        Written.
    first, last : int
        The columns from `first` to before `last` are written; other threads may write others.
    """
    cdef:
        Py_ssize_t n_samples = X.shape[0], n_features = X.shape[1], row, column, height
    if (
        offset.shape[0] != n_features
        or norms2.shape[0] != n_features
        or (scale is not None and scale.shape[0] != n_samples)
        or out.shape[0] != n_samples
        or out.shape[1] != n_features
        or not 0 <= first <= last <= n_features
    ):
        raise ValueError("center_columns: arrays do not fit together.")
    norms2[first:last] = 0
    with nogil:
        # The numbers are literals since Cython must know the sign of a step, and C the count of the columns.
        for row in range(0, n_samples, 64):
            height = min(64, n_samples - row)
            for column in range(first, last - 7, 8):
                center_block(X, offset, scale, out, norms2, row, column, height, 8)
            column = last - (last - first) % 8
            if column < last:
                center_block(X, offset, scale, out, norms2, row, column, height, last - column)


cdef inline void center_block(
    const floating[:, :] X,
    const floating[::1] offset,
    const floating[::1] scale,
    floating[::1, :] out,
    double[::1] norms2,
    Py_ssize_t row,
    Py_ssize_t column,
    Py_ssize_t height,
    Py_ssize_t width,
) noexcept nogil:
    """Do this for a block of at most eight columns."""
    cdef:
        const char* x = <const char*> &X[row, column]
        floating* to = &out[row, column]
        Py_ssize_t x_step = X.strides[0], x_next = X.strides[1], next = out.shape[0], i, j
        floating means[8]
        floating value, factor = 1
        double sums[8]
    for j in range(width):
        means[j] = offset[column + j]
        sums[j] = 0
    for i in range(height):
        if scale is not None:
            factor = scale[row + i]
        for j in range(width):
            value = ((<const floating*> (x + i * x_step + j * x_next))[0] - means[j]) * factor
            to[i + j * next] = value
            sums[j] += <double> value * value
    for j in range(width):
        norms2[column + j] += sums[j]
