# The losses of SGD, of a prediction p for a target y: value and derivative with respect to p.
#
# They can be read beside the classes of scikit-learn's `_sgd_fast` and `_loss`, whose formulas these are, with the same
# cases against overflow. What differs is that a loss is a number, so that its value is computed in the loop itself.
# `parameter` is the threshold of the hinge losses, or epsilon of those for regression.
from cython cimport cdivision
from libc.math cimport exp, fabs, log, log1p

cdef enum Loss:
    HINGE  # with threshold 0: the perceptron's
    SQUARED_HINGE
    LOG_LOSS  # of targets 0 and 1; all others for classification have -1 and 1
    MODIFIED_HUBER
    SQUARED_ERROR
    HUBER
    EPSILON_INSENSITIVE
    SQUARED_EPSILON_INSENSITIVE


@cdivision(True)
cdef inline double log1p_exp(double x) noexcept nogil:
    """log(1 + exp(x)), by the form that is accurate where x lies (Maechler, 2012)."""
    if x <= -37:
        return exp(x)
    if x <= -2:
        return log1p(exp(x))
    if x <= 18:
        return log(1.0 + exp(x))
    if x <= 33.3:
        return x + exp(-x)
    return x


cdef inline double loss_value(int loss, double parameter, double y, double p) noexcept nogil:
    cdef double z
    if loss == HINGE:
        z = p * y
        return parameter - z if z <= parameter else 0.0
    elif loss == SQUARED_HINGE:
        z = parameter - p * y
        return z * z if z > 0 else 0.0
    elif loss == LOG_LOSS:
        return log1p_exp(p) - y * p
    elif loss == MODIFIED_HUBER:
        z = p * y
        if z >= 1.0:
            return 0.0
        return (1.0 - z) * (1.0 - z) if z >= -1.0 else -4.0 * z
    elif loss == SQUARED_ERROR:
        return 0.5 * (p - y) * (p - y)
    elif loss == HUBER:
        z = fabs(y - p)
        return 0.5 * z * z if z <= parameter else parameter * (z - 0.5 * parameter)
    elif loss == EPSILON_INSENSITIVE:
        z = fabs(y - p) - parameter
        return z if z > 0 else 0.0
    else:
        z = fabs(y - p) - parameter
        return z * z if z > 0 else 0.0


@cdivision(True)
cdef inline double loss_derivative(int loss, double parameter, double y, double p) noexcept nogil:
    cdef double z
    if loss == HINGE:
        return -y if p * y <= parameter else 0.0
    elif loss == SQUARED_HINGE:
        z = parameter - p * y
        return -2 * y * z if z > 0 else 0.0
    elif loss == LOG_LOSS:
        if p > -37:
            z = exp(-p)
            return ((1 - y) - y * z) / (1 + z)
        return exp(p) - y
    elif loss == MODIFIED_HUBER:
        z = p * y
        if z >= 1.0:
            return 0.0
        return 2.0 * (1.0 - z) * -y if z >= -1.0 else -4.0 * y
    elif loss == SQUARED_ERROR:
        return p - y
    elif loss == HUBER:
        z = p - y
        if fabs(z) <= parameter:
            return z
        return parameter if z >= 0 else -parameter
    elif loss == EPSILON_INSENSITIVE:
        if y - p > parameter:
            return -1.0
        return 1.0 if p - y > parameter else 0.0
    else:
        z = y - p
        if z > parameter:
            return -2 * (z - parameter)
        return 2 * (-z - parameter) if z < -parameter else 0.0
