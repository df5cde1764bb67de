# The weights of SGD: a vector times a scale, and the average of all its states.
#
# It can be read beside scikit-learn's `utils/_weight_vector`: the same steps with the same roundings, by vector
# kernels. What differs: norms are kept only where somebody asks for them. As there, they are those of the elements that
# the last step has touched. For sparse rows this is not the norm of the vector, but the objective that SGD stops by is
# made of it.
from cython cimport cdivision, floating
from libc.math cimport fabs

from fastml.linear_model cimport _vector_kernels as kernels_of


cdef enum Norms:
    NO_NORMS
    SQUARES
    SQUARES_AND_ABSOLUTES


# The vector is scale * w, its average (average_a * w + average) / average_b.
cdef struct Weights:
    const void* kernels
    void* w
    void* average  # NULL: no average
    Py_ssize_t n_features
    Norms norms
    double scale
    double average_a
    double average_b
    double sq_norm
    double l1_norm


# A row: its values, and their places, which are NULL where the row is dense.


cdef inline double row_dot(
    const Weights* weights, const floating* x, const int* places, Py_ssize_t n
) noexcept nogil:
    cdef double product
    if places == NULL:
        product = kernels_of.dot(weights.kernels, n, x, <const floating*> weights.w)
    else:
        product = kernels_of.sparse_dot(weights.kernels, n, x, places, <const floating*> weights.w)
    return <floating> (product * weights.scale)


@cdivision(True)
cdef inline void row_add(
    Weights* weights, const floating* x, const int* places, Py_ssize_t n, floating c
) noexcept nogil:
    """Add c times a row."""
    cdef:
        floating scale = <floating> weights.scale
        floating factor = c / scale
        double[2] norms
    if places == NULL:
        if weights.norms == SQUARES_AND_ABSOLUTES:
            kernels_of.axpy_norms(weights.kernels, n, factor, x, <floating*> weights.w, norms)
        elif weights.norms == SQUARES:
            norms[0] = kernels_of.axpy_squares(weights.kernels, n, factor, x, <floating*> weights.w)
            norms[1] = 0
        else:
            kernels_of.axpy(weights.kernels, n, factor, x, <floating*> weights.w)
            return
    elif weights.norms != NO_NORMS:
        kernels_of.sparse_axpy_norms(weights.kernels, n, factor, x, places, <floating*> weights.w, norms)
    else:
        kernels_of.sparse_axpy(weights.kernels, n, factor, x, places, <floating*> weights.w)
        return
    weights.sq_norm = norms[0] * (scale * scale)
    weights.l1_norm = norms[1] * scale


@cdivision(True)
cdef inline void row_add_average(
    Weights* weights, const floating* x, const int* places, Py_ssize_t n, floating c, floating number
) noexcept nogil:
    """Take the state after the addition of c times a row, the state of this number, into the average."""
    cdef:
        double mu = 1.0 / number
        double factor = weights.average_a * (-c / weights.scale)
    if c != 0:
        if places == NULL:
            kernels_of.axpy(weights.kernels, n, factor, x, <floating*> weights.average)
        else:
            kernels_of.sparse_axpy(weights.kernels, n, factor, x, places, <floating*> weights.average)
    if number > 1:
        weights.average_b /= 1.0 - mu
    weights.average_a += mu * weights.average_b * weights.scale


@cdivision(True)
cdef inline void carry_out_scale(Weights* weights, floating one) noexcept nogil:
    """Multiply the vector by its scale, which is 1 afterwards; so too the average."""
    cdef:
        floating* w = <floating*> weights.w
        floating factor
    if weights.average != NULL:
        factor = <floating> weights.average_a
        kernels_of.axpy(weights.kernels, weights.n_features, factor, w, <floating*> weights.average)
        factor = <floating> (1.0 / weights.average_b)
        kernels_of.scale(weights.kernels, weights.n_features, factor, <floating*> weights.average)
        weights.average_a = 0.0
        weights.average_b = 1.0
    factor = <floating> weights.scale
    kernels_of.scale(weights.kernels, weights.n_features, factor, w)
    weights.scale = 1.0


cdef inline void multiply(Weights* weights, floating c) noexcept nogil:
    cdef double least
    weights.scale *= c
    weights.sq_norm *= c * c
    weights.l1_norm *= fabs(c)
    # Where scikit-learn's does it: what early stopping is told are the weights without their scale.
    if floating is float:
        least = 1e-6
    else:
        least = 1e-9
    if weights.scale < least:
        carry_out_scale(weights, <floating> 1)
