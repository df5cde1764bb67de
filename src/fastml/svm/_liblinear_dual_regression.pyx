"""Dual coordinate descent for linear regression (Ho and Lin, 2012).

It can be read beside `solve_l2r_l1l2_svr` of `sklearn/svm/src/liblinear/linear.cpp`, as `_liblinear_dual.pyx` can
beside the solver for classes; what differs is the same.
"""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from cython cimport boundscheck, cdivision, floating, wraparound
from libc.math cimport INFINITY, fabs
from libc.stdint cimport uint32_t

from fastml import _core

from fastml.svm cimport _wide_kernels as kernels_of
from fastml.svm._liblinear_draws cimport shuffle
from fastml.svm._liblinear_rows cimport AHEAD, BLOCK, Rows, fetch, fetch_row, row_add, row_dot, row_squares, set_rows


cdef double LEAST_STEP = 1e-12  # shorter ones are not taken


cdef struct Sample:
    double beta
    double curvature
    double term  # epsilon insensitive: the largest beta; its square: what is added to the diagonal
    double target


@boundscheck(False)
@wraparound(False)
@cdivision(True)
def dual_svr(
    const floating[:, ::1] dense,
    const floating[::1] data,
    const int[::1] indices,
    const int[::1] indptr,
    double bias,
    const int[::1] order,
    const double[::1] targets,
    const double[::1] costs,
    bint squared,
    double epsilon,
    double tol,
    int max_iter,
    uint32_t[::1] draws,
    double[::1] w,
    bint verbose,
):
    """Fit a regressor.

    Parameters
    ----------
    targets : ndarray of shape (n_samples,)
        What is to be predicted.
    squared : bool
        Whether errors beyond `epsilon` count by their square.
    epsilon : float
        The errors that cost nothing.
    tol : float
        The end is where the violations of all samples together are this part of those in the first pass.

    Other parameters are those of `dual_svc`.

    Returns
    -------
    n_iter : int
    """
    cdef:
        Rows rows
        const void* kernels
        floating one = 1
        Py_ssize_t n = order.shape[0]
        Py_ssize_t active = n
        Py_ssize_t s, i
        Py_ssize_t cost_of_row
        Py_ssize_t left
        int n_iter = 0
        int[::1] index = np.array(order)
        double[:, ::1] state = np.empty((targets.shape[0], 4))
        Sample* samples = <Sample*> &state[0, 0]
        Sample* sample
        double gradient, upper, lower, bend, most, violation, step, before
        # The largest violation of the last pass and of this one, and the sums of the first and of this one.
        double largest = INFINITY
        double new_largest, total
        double first_total = -1
        bint put_aside

    kernels = kernels_of.table(_core.wide_kernels(np.dtype(np.float32 if floating is float else np.float64)), one)
    cost_of_row = set_rows(&rows, kernels, dense, data, indices, indptr, bias, w.shape[0] - (bias != 0))
    left = BLOCK

    with nogil:
        for s in range(n):
            i = index[s]
            sample = samples + i
            sample.beta = 0
            sample.target = targets[i]
            sample.term = 0.5 / costs[i] if squared else costs[i]
            sample.curvature = row_squares(&rows, i, 0, one) + (sample.term if squared else 0.0)

        while n_iter < max_iter:
            new_largest = 0
            total = 0
            shuffle(&draws[0], &index[0], active)
            s = 0
            while s < active:
                left -= cost_of_row
                if left < 0:
                    left = BLOCK
                    with gil:
                        PyErr_CheckSignals()
                if s + AHEAD < active:
                    fetch_row(&rows, index[s + AHEAD], one)
                    fetch(samples + index[s + AHEAD])
                i = index[s]
                sample = samples + i
                gradient = -sample.target
                bend = sample.curvature
                if squared:
                    most = INFINITY
                    gradient += sample.term * sample.beta
                else:
                    most = sample.term
                gradient = row_dot(&rows, i, &w[0], gradient, one)

                # The derivatives above and below beta = 0.
                upper = gradient + epsilon
                lower = gradient - epsilon
                violation = 0
                put_aside = False
                if sample.beta == 0:
                    if upper < 0:
                        violation = -upper
                    elif lower > 0:
                        violation = lower
                    else:
                        put_aside = upper > largest and lower < -largest
                elif sample.beta >= most:
                    if upper > 0:
                        violation = upper
                    else:
                        put_aside = upper < -largest
                elif sample.beta <= -most:
                    if lower < 0:
                        violation = -lower
                    else:
                        put_aside = lower > largest
                elif sample.beta > 0:
                    violation = fabs(upper)
                else:
                    violation = fabs(lower)
                if put_aside:
                    active -= 1
                    index[s], index[active] = index[active], index[s]
                    continue
                new_largest = max(new_largest, violation)
                total += violation
                s += 1

                before = sample.beta
                if upper < bend * before:
                    step = -upper / bend
                elif lower > bend * before:
                    step = -lower / bend
                else:
                    step = -before
                if fabs(step) < LEAST_STEP:
                    continue
                sample.beta = min(max(before + step, -most), most)
                step = sample.beta - before
                if step != 0:
                    row_add(&rows, i, step, &w[0], one)

            if n_iter == 0:
                first_total = total
            n_iter += 1
            if verbose and n_iter % 10 == 0:
                with gil:
                    print(".", end="", flush=True)
            if total <= tol * first_total:
                if active == n:
                    break
                # The end must hold for the samples that were put aside, too.
                active = n
                largest = INFINITY
                if verbose:
                    with gil:
                        print("*", end="", flush=True)
                continue
            largest = new_largest

    if verbose:
        chosen = np.asarray(order)
        beta = np.asarray(state)[chosen, 0]
        terms = np.asarray(state)[chosen, 2] if squared else 0.0
        print(f"\noptimization finished, #iter = {n_iter}")
        if n_iter >= max_iter:
            print("\nWARNING: reaching max number of iterations\nUsing -s 11 may be faster\n")
        value = 0.5 * np.dot(w, w) + np.sum(
            epsilon * np.abs(beta) - np.asarray(targets)[chosen] * beta + 0.5 * terms * beta * beta
        )
        print(f"Objective value = {value:f}\nnSV = {np.count_nonzero(beta)}")
    return n_iter
