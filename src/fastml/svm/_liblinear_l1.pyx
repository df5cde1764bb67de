"""Coordinate descent for the squared hinge with an l1 penalty (Yuan et al., 2010).

It can be read beside `solve_l1r_l2_svc` of `sklearn/svm/src/liblinear/linear.cpp`: the same features in the same order,
the same steps, line searches, shrinking and stopping. What differs:

* Columns are used in either type, dense or CSC, without the signs of the classes: where LIBLINEAR keeps 1 - y s of a
  sample with the score s, the residual here is y - s, and costs have the sign of y.
* Passes over a dense column are vector kernels, which add up in another order; so does the order of the samples.
* The bias is a column of ones, times a number.
* Ctrl-C ends the loop.
"""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from cython cimport boundscheck, cdivision, floating, wraparound
from libc.math cimport INFINITY, fabs
from libc.stdint cimport uint32_t

from fastml import _core

from fastml.svm cimport _wide_kernels as kernels_of
from fastml.svm._liblinear_draws cimport shuffle
from fastml.svm._liblinear_rows cimport BLOCK


cdef enum:
    MOST_TRIALS = 20  # of a line search


cdef:
    double SUFFICIENT = 0.01  # of the decrease that the derivatives promise
    double LEAST_CURVATURE = 1e-12
    double LEAST_STEP = 1e-12


cdef struct Columns:
    const void* kernels
    const void* values  # of n_samples elements a column where they are dense
    const int* indices  # NULL: dense
    const int* indptr
    const void* ones
    Py_ssize_t n_samples
    Py_ssize_t n_features
    double bias  # of the column n_features


cdef inline Py_ssize_t length(const Columns* x, Py_ssize_t j) noexcept nogil:
    if x.indices == NULL or j == x.n_features:
        return x.n_samples
    return x.indptr[j + 1] - x.indptr[j]


cdef inline const int* places_of(const Columns* x, Py_ssize_t j) noexcept nogil:
    """The samples of the values of column j; NULL where these are all of them."""
    if x.indices == NULL or j == x.n_features:
        return NULL
    return x.indices + x.indptr[j]


cdef inline const floating* values_of(const Columns* x, Py_ssize_t j, floating one) noexcept nogil:
    if j == x.n_features:
        return <const floating*> x.ones
    if x.indices == NULL:
        return <const floating*> x.values + j * x.n_samples
    return <const floating*> x.values + x.indptr[j]


cdef inline void derivatives(
    const Columns* x, Py_ssize_t j, const double* residuals, const double* costs, double* sums, floating one
) noexcept nogil:
    """Sums over the samples that lose: cost x residual, cost x^2."""
    cdef:
        const floating* values = values_of(x, j, one)
        const int* places = places_of(x, j)
        double residual, cost, weighted
        Py_ssize_t p
    if places == NULL:
        kernels_of.hinge_derivatives(x.kernels, x.n_samples, values, residuals, costs, sums)
        if j == x.n_features:
            sums[0] *= x.bias
            sums[1] *= x.bias * x.bias
        return
    sums[0] = 0
    sums[1] = 0
    for p in range(length(x, j)):
        residual = residuals[places[p]]
        cost = costs[places[p]]
        if cost * residual > 0:
            weighted = fabs(cost) * <double> values[p]
            sums[0] += weighted * residual
            sums[1] += weighted * <double> values[p]


cdef inline void move(
    const Columns* x, Py_ssize_t j, double factor, double* residuals, floating one
) noexcept nogil:
    """Add `factor` times column j to the residuals."""
    cdef:
        const floating* values = values_of(x, j, one)
        const int* places = places_of(x, j)
        Py_ssize_t p
    if places == NULL:
        kernels_of.axpy(x.kernels, x.n_samples, factor * x.bias if j == x.n_features else factor, values, residuals)
        return
    for p in range(length(x, j)):
        residuals[places[p]] += factor * <double> values[p]


cdef inline void move_and_lose(
    const Columns* x, Py_ssize_t j, double factor, double* residuals, const double* costs, double* losses, floating one
) noexcept nogil:
    """The same; `losses` are the sums before and after, of the samples in the column."""
    cdef:
        const floating* values = values_of(x, j, one)
        const int* places = places_of(x, j)
        double before, after, cost
        Py_ssize_t p
    if places == NULL:
        if j == x.n_features:
            factor *= x.bias
        kernels_of.hinge_step(x.kernels, x.n_samples, factor, values, residuals, costs, losses)
        return
    losses[0] = 0
    losses[1] = 0
    for p in range(length(x, j)):
        before = residuals[places[p]]
        after = before + factor * <double> values[p]
        residuals[places[p]] = after
        cost = costs[places[p]]
        if cost * before > 0:
            losses[0] += fabs(cost) * before * before
        if cost * after > 0:
            losses[1] += fabs(cost) * after * after


@boundscheck(False)
@wraparound(False)
@cdivision(True)
def l1_svc(
    const floating[:, ::1] dense,
    const floating[::1] data,
    const int[::1] indices,
    const int[::1] indptr,
    double bias,
    const double[::1] signs,
    const double[::1] costs,
    Py_ssize_t n_rows,
    double tol,
    int max_iter,
    uint32_t[::1] draws,
    double[::1] w,
    bint verbose,
):
    """Fit two classes.

    Parameters
    ----------
    dense : ndarray of shape (n_features, n_samples), or None
        The columns; None where they are CSC, given by `data`, `indices` and `indptr`, which are None otherwise.
    bias : float
        The value of a further feature of all samples; 0 for none.
    signs : ndarray of shape (n_samples,)
        1 or -1.
    costs : ndarray of shape (n_samples,)
        The C of each sample with the sign of the sample; 0 for those that are left out.
    n_rows : int
        The number of the others.
    tol : float
        The end is where the violations of all features together are this part of those in the first pass.
    draws : ndarray of shape (1249,)
        The state of the random numbers; goes on.
    w : ndarray of shape (n_features,) or (n_features + 1,)
        Zeros; the weights in the end, that of the bias last.

    Returns
    -------
    n_iter : int
    """
    cdef:
        Columns x
        floating one = 1
        Py_ssize_t n = w.shape[0]
        Py_ssize_t active = n
        Py_ssize_t s, j, k
        Py_ssize_t left = BLOCK
        int n_iter = 0
        int trial
        int[::1] index = np.arange(n, dtype=np.intc)
        double[::1] residuals = np.array(signs)
        double[::1] squares = np.empty(n)
        floating[::1] ones
        double[2] sums
        double slope, loss_slope, bend, upper, lower, violation, step, last_step, promised, change, bound, old_loss
        # The largest violation of the last pass and of this one, and the sums of the first and of this one.
        double largest = INFINITY
        double new_largest, total
        double first_total = -1

    dtype = np.dtype(np.float32 if floating is float else np.float64)
    x.kernels = kernels_of.table(_core.wide_kernels(dtype), one)
    x.bias = bias
    x.n_samples = signs.shape[0]
    x.n_features = n - (bias != 0)
    x.values = NULL
    x.indices = NULL
    x.indptr = NULL
    x.ones = NULL
    if bias != 0:
        ones = np.ones(x.n_samples, dtype=dtype)
        x.ones = &ones[0]
    if dense is None:
        x.values = &data[0] if data.shape[0] > 0 else NULL
        x.indices = &indices[0] if data.shape[0] > 0 else <const int*> &indptr[0]
        x.indptr = &indptr[0]
    else:
        x.values = &dense[0, 0]

    with nogil:
        for j in range(n):
            # All samples lose at first.
            derivatives(&x, j, &residuals[0], &costs[0], sums, one)
            squares[j] = sums[1]

        while n_iter < max_iter:
            new_largest = 0
            total = 0
            shuffle(&draws[0], &index[0], active)
            s = 0
            while s < active:
                j = index[s]
                left -= 16 + 4 * length(&x, j)
                if left < 0:
                    left = BLOCK
                    with gil:
                        PyErr_CheckSignals()
                derivatives(&x, j, &residuals[0], &costs[0], sums, one)
                loss_slope = -2 * sums[0]
                slope = loss_slope
                bend = max(2 * sums[1], LEAST_CURVATURE)

                # The derivatives above and below w = 0.
                upper = slope + 1
                lower = slope - 1
                violation = 0
                if w[j] == 0:
                    if upper < 0:
                        violation = -upper
                    elif lower > 0:
                        violation = lower
                    elif upper > largest / n_rows and lower < -largest / n_rows:
                        active -= 1
                        index[s], index[active] = index[active], index[s]
                        continue
                elif w[j] > 0:
                    violation = fabs(upper)
                else:
                    violation = fabs(lower)
                new_largest = max(new_largest, violation)
                total += violation
                s += 1

                if upper < bend * w[j]:
                    step = -upper / bend
                elif lower > bend * w[j]:
                    step = -lower / bend
                else:
                    step = -w[j]
                if fabs(step) < LEAST_STEP:
                    continue

                promised = fabs(w[j] + step) - fabs(w[j]) + slope * step
                last_step = 0
                old_loss = 0
                trial = 0
                while trial < MOST_TRIALS:
                    change = fabs(w[j] + step) - fabs(w[j]) - SUFFICIENT * promised
                    bound = squares[j] * step * step + loss_slope * step + change
                    if bound <= 0:
                        move(&x, j, last_step - step, &residuals[0], one)
                        break
                    move_and_lose(&x, j, last_step - step, &residuals[0], &costs[0], sums, one)
                    if trial == 0:
                        old_loss = sums[0]
                    if change + sums[1] - old_loss <= 0:
                        break
                    last_step = step
                    step *= 0.5
                    promised *= 0.5
                    trial += 1
                w[j] += step

                if trial >= MOST_TRIALS:
                    if verbose:
                        with gil:
                            print("#", end="", flush=True)
                    # So many steps have left their roundings behind.
                    residuals[:] = signs
                    for k in range(n):
                        if w[k] != 0:
                            move(&x, k, -w[k], &residuals[0], one)

            if n_iter == 0:
                first_total = total
            n_iter += 1
            if verbose and n_iter % 10 == 0:
                with gil:
                    print(".", end="", flush=True)
            if total <= tol * first_total:
                if active == n:
                    break
                # The end must hold for the features that were put aside, too.
                active = n
                largest = INFINITY
                if verbose:
                    with gil:
                        print("*", end="", flush=True)
                continue
            largest = new_largest

    if verbose:
        print(f"\noptimization finished, #iter = {n_iter}")
        if n_iter >= max_iter:
            print("\nWARNING: reaching max number of iterations")
        losing = np.asarray(costs) * np.asarray(residuals) > 0
        value = np.abs(w).sum() + np.sum(np.abs(costs) * np.square(residuals), where=losing)
        print(f"Objective value = {value:f}\n#nonzeros/#features = {np.count_nonzero(w)}/{n}")
    return n_iter
