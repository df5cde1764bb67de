# Rows of X, dense or CSR, for solvers that take one after the other: products with a vector of doubles, and additions
# to it.
#
# Rows may end in a feature of one value for all of them, the bias; their vectors then have an element more. `one` has
# the type of the rows.
from cython cimport floating

from fastml.svm cimport _wide_kernels as kernels_of

cdef extern from *:
    void __builtin_prefetch(const void* address, int to_write, int locality) noexcept nogil


cdef enum:
    # How many rows ahead of the one in use memory is fetched: random rows come from all over X.
    AHEAD = 4
    # Of a row, the lines fetched at most. The processor sees by itself how a longer row goes on.
    MOST_LINES = 8
    SPARSE_LINES = 2
    LINE = 64  # bytes
    # Multiply-adds, roughly, between two looks at Ctrl-C: 10 ms.
    BLOCK = 1 << 24


cdef struct Rows:
    const void* kernels
    const void* values
    const int* indices  # NULL: dense
    const int* indptr
    Py_ssize_t n_features
    double bias  # 0: none


cdef inline Py_ssize_t set_rows(
    Rows* rows,
    const void* kernels,
    const floating[:, ::1] dense,
    const floating[::1] data,
    const int[::1] indices,
    const int[::1] indptr,
    double bias,
    Py_ssize_t n_features,
) noexcept:
    """Point to the rows of `dense` or, where that is None, of the CSR arrays; return roughly what a row costs."""
    rows.kernels = kernels
    rows.bias = bias
    rows.n_features = n_features
    if dense is not None:
        rows.values = &dense[0, 0]
        rows.indices = NULL
        rows.indptr = NULL
        return 16 + n_features
    rows.values = &data[0] if data.shape[0] > 0 else NULL
    rows.indices = &indices[0] if data.shape[0] > 0 else <const int*> &indptr[0]
    rows.indptr = &indptr[0]
    return 32 + data.shape[0] // max(1, indptr.shape[0] - 1)


cdef inline const floating* row_values(const Rows* rows, Py_ssize_t i, floating one) noexcept nogil:
    if rows.indices == NULL:
        return <const floating*> rows.values + i * rows.n_features
    return <const floating*> rows.values + rows.indptr[i]


cdef inline const int* row_places(const Rows* rows, Py_ssize_t i) noexcept nogil:
    """The features of the values of row i; NULL where these are all of them."""
    if rows.indices == NULL:
        return NULL
    return rows.indices + rows.indptr[i]


cdef inline Py_ssize_t row_length(const Rows* rows, Py_ssize_t i) noexcept nogil:
    return rows.n_features if rows.indices == NULL else rows.indptr[i + 1] - rows.indptr[i]


cdef inline double row_dot(
    const Rows* rows, Py_ssize_t i, const double* w, double start, floating one
) noexcept nogil:
    """`start` plus the product of row i and w."""
    cdef:
        const floating* x = row_values(rows, i, one)
        const int* places = row_places(rows, i)
        double sum = start
        Py_ssize_t p
    if places == NULL:
        sum += kernels_of.dot(rows.kernels, rows.n_features, x, w)
    else:
        # In LIBLINEAR's order, so that its answer comes out to the bit. Several sums side by side are no faster, since
        # most of the time goes into loops that end elsewhere than expected.
        for p in range(row_length(rows, i)):
            sum += w[places[p]] * <double> x[p]
    if rows.bias != 0:
        sum += rows.bias * w[rows.n_features]
    return sum


cdef inline void row_add(const Rows* rows, Py_ssize_t i, double factor, double* w, floating one) noexcept nogil:
    """Add `factor` times row i to w."""
    cdef:
        const floating* x = row_values(rows, i, one)
        const int* places = row_places(rows, i)
        Py_ssize_t p
    if places == NULL:
        kernels_of.axpy(rows.kernels, rows.n_features, factor, x, w)
    else:
        for p in range(row_length(rows, i)):
            w[places[p]] += factor * <double> x[p]
    if rows.bias != 0:
        w[rows.n_features] += factor * rows.bias


cdef inline double row_squares(const Rows* rows, Py_ssize_t i, double start, floating one) noexcept nogil:
    """`start` plus the squared norm of row i; of a sparse row, that of its stored values."""
    cdef:
        const floating* x = row_values(rows, i, one)
        double sum = start
        Py_ssize_t p
    if rows.indices == NULL:
        sum += kernels_of.squared_norm(rows.kernels, rows.n_features, x)
    else:
        for p in range(row_length(rows, i)):
            sum += <double> x[p] * <double> x[p]
    return sum + rows.bias * rows.bias


cdef inline void fetch(const void* address) noexcept nogil:
    __builtin_prefetch(address, 0, 2)


cdef inline void fetch_row(const Rows* rows, Py_ssize_t i, floating one) noexcept nogil:
    cdef:
        const char* line = <const char*> row_values(rows, i, one)
        const char* end
        Py_ssize_t k
    if rows.indices == NULL:
        end = min(line + rows.n_features * sizeof(floating), line + MOST_LINES * LINE)
        while line < end:
            fetch(line)
            line += LINE
    else:
        # As many lines of any row: a loop that ended with the row would be mispredicted, which costs more than they do.
        for k in range(SPARSE_LINES):
            fetch(line + k * LINE)
            fetch(<const char*> (rows.indices + rows.indptr[i]) + k * LINE)
