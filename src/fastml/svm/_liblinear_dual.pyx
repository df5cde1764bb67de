"""Dual coordinate descent for linear classification (Hsieh et al., 2008).

It can be read beside `solve_l2r_l1l2_svc` of `sklearn/svm/src/liblinear/linear.cpp`: the same samples in the same
order, the same steps, shrinking and stopping. What differs:

* Rows are used as they are, dense or CSR, in either type; the weights are doubles. Products with dense rows are vector
  kernels, which add up in another order. With CSR rows everything is rounded as there.
* What belongs to a sample lies side by side, and the next rows are fetched from memory while one is learned.
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
from fastml.svm._liblinear_rows cimport AHEAD, BLOCK, Rows, fetch, fetch_row, row_add, row_dot, row_squares, set_rows


cdef double LEAST_GRADIENT = 1e-12  # below it a sample is left as it is


cdef struct Sample:
    double alpha
    double curvature
    double term  # hinge: the largest alpha; squared hinge: what is added to the diagonal
    double sign  # 1 or -1


@boundscheck(False)
@wraparound(False)
@cdivision(True)
def dual_svc(
    const floating[:, ::1] dense,
    const floating[::1] data,
    const int[::1] indices,
    const int[::1] indptr,
    double bias,
    const int[::1] order,
    const double[::1] signs,
    const double[::1] costs,
    bint squared,
    double tol,
    int max_iter,
    uint32_t[::1] draws,
    double[::1] w,
    bint verbose,
):
    """Fit two classes.

    Parameters
    ----------
    dense : ndarray of shape (n_samples, n_features), or None
        The samples; None where they are CSR, given by `data`, `indices` and `indptr`, which are None otherwise.
    bias : float
        The value of a further feature of all samples; 0 for none.
    order : ndarray of shape (n_rows,)
        The samples to learn, in the order that they are shuffled from.
    signs : ndarray of shape (n_samples,)
        1 or -1.
    costs : ndarray of shape (n_samples,)
        The C of each sample, positive for those in `order`.
    squared : bool
        Whether the loss is the squared hinge; else it is the hinge.
    tol : float
        The end is where projected gradients of all samples lie no further apart.
    draws : ndarray of shape (1249,)
        The state of the random numbers; goes on.
    w : ndarray of shape (n_features,) or (n_features + 1,)
        Zeros; the weights in the end, that of the bias last.

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
        double[:, ::1] state = np.empty((signs.shape[0], 4))
        Sample* samples = <Sample*> &state[0, 0]
        Sample* sample
        double gradient, projected, most, before
        # Projected gradients of the last pass, beyond which a sample at a bound is put aside; and of this pass.
        double highest = INFINITY
        double lowest = -INFINITY
        double new_highest, new_lowest

    kernels = kernels_of.table(_core.wide_kernels(np.dtype(np.float32 if floating is float else np.float64)), one)
    cost_of_row = set_rows(&rows, kernels, dense, data, indices, indptr, bias, w.shape[0] - (bias != 0))
    left = BLOCK

    with nogil:
        for s in range(n):
            i = index[s]
            sample = samples + i
            sample.alpha = 0
            sample.sign = signs[i]
            sample.term = 0.5 / costs[i] if squared else costs[i]
            sample.curvature = row_squares(&rows, i, sample.term if squared else 0.0, one)

        while n_iter < max_iter:
            new_highest = -INFINITY
            new_lowest = INFINITY
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
                gradient = row_dot(&rows, i, &w[0], 0, one) * sample.sign - 1
                if squared:
                    most = INFINITY
                    gradient += sample.alpha * sample.term
                else:
                    most = sample.term

                projected = 0
                if sample.alpha == 0:
                    if gradient > highest:
                        active -= 1
                        index[s], index[active] = index[active], index[s]
                        continue
                    if gradient < 0:
                        projected = gradient
                elif sample.alpha == most:
                    if gradient < lowest:
                        active -= 1
                        index[s], index[active] = index[active], index[s]
                        continue
                    if gradient > 0:
                        projected = gradient
                else:
                    projected = gradient
                new_highest = max(new_highest, projected)
                new_lowest = min(new_lowest, projected)

                if fabs(projected) > LEAST_GRADIENT:
                    before = sample.alpha
                    sample.alpha = min(max(before - gradient / sample.curvature, 0.0), most)
                    row_add(&rows, i, (sample.alpha - before) * sample.sign, &w[0], one)
                s += 1

            n_iter += 1
            if verbose and n_iter % 10 == 0:
                with gil:
                    print(".", end="", flush=True)
            if new_highest - new_lowest <= tol:
                if active == n:
                    break
                # The end must hold for the samples that were put aside, too.
                active = n
                highest = INFINITY
                lowest = -INFINITY
                if verbose:
                    with gil:
                        print("*", end="", flush=True)
                continue
            highest = new_highest if new_highest > 0 else INFINITY
            lowest = new_lowest if new_lowest < 0 else -INFINITY

    if verbose:
        alpha = np.asarray(state)[np.asarray(order), 0]
        terms = np.asarray(state)[np.asarray(order), 2] if squared else 0.0
        print(f"\noptimization finished, #iter = {n_iter}")
        if n_iter >= max_iter:
            print("\nWARNING: reaching max number of iterations\nUsing -s 2 may be faster (also see FAQ)\n")
        value = (np.dot(w, w) + np.sum(alpha * (alpha * terms - 2))) / 2
        print(f"Objective value = {value:f}\nnSV = {np.count_nonzero(alpha > 0)}")
    return n_iter
