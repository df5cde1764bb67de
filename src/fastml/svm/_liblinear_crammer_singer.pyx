"""The multi-class machine of Crammer and Singer by dual coordinate descent (Keerthi et al., 2008).

It can be read beside `Solver_MCSVM_CS` of `sklearn/svm/src/liblinear/linear.cpp`: the same samples in the same order,
the same steps, shrinking and stopping, and the same roundings. These matter here: whether a class of a sample may rest
depends on whether its alpha is exactly at its bound, and a solution of the subproblem hits it or misses it by the last
bit. So products are added up feature by feature; the classes are what runs side by side. What differs:

* Rows are used as they are, dense or CSR, in either type.
* The next rows are fetched from memory while one is learned.
* Ctrl-C ends the loop.
"""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from cython cimport boundscheck, cdivision, floating, wraparound
from libc.math cimport INFINITY, fabs
from libc.stdint cimport uint32_t
from libc.stdlib cimport qsort

from fastml.svm._liblinear_draws cimport shuffle
from fastml.svm._liblinear_rows cimport AHEAD, BLOCK, Rows, fetch_row, row_length, row_places, row_values, set_rows


cdef double LEAST_SPREAD = 1e-12  # of a sample's gradients; one with less is left as it is
cdef double LEAST_STEP = 1e-12
cdef int MOST_PASSES = 100000  # as in LIBLINEAR, which `max_iter` does not reach here


cdef int descending(const void* a, const void* b) noexcept nogil:
    cdef double x = (<const double*> a)[0], y = (<const double*> b)[0]
    return (x < y) - (x > y)


cdef inline bint may_rest(bint own, double alpha, double cost, double gradient, double least) noexcept nogil:
    """Whether a class of a sample, at its bound, has a gradient that will keep it there."""
    return alpha == (cost if own else 0.0) and gradient < least


@cdivision(True)
cdef inline void solve_one(
    double curvature, int own, double cost, int active, const double* linear, double* sorted, double* alpha
) noexcept nogil:
    """The best alphas of one sample, all others fixed; `sorted` is memory for as many numbers."""
    cdef int r
    cdef double beta
    for r in range(active):
        sorted[r] = linear[r]
    if own < active:
        sorted[own] += curvature * cost
    qsort(sorted, active, sizeof(double), &descending)
    beta = sorted[0] - curvature * cost
    r = 1
    while r < active and beta < r * sorted[r]:
        beta += sorted[r]
        r += 1
    beta /= r
    for r in range(active):
        alpha[r] = min(cost if r == own else 0.0, (beta - linear[r]) / curvature)


cdef inline double squares(const Rows* rows, Py_ssize_t i, floating one) noexcept nogil:
    cdef:
        const floating* x = row_values(rows, i, one)
        Py_ssize_t p
        double sum = 0
    for p in range(row_length(rows, i)):
        sum += <double> x[p] * <double> x[p]
    return sum + rows.bias * rows.bias


cdef inline void add_products(
    const Rows* rows, Py_ssize_t i, const double* w, Py_ssize_t n_classes, const int* chosen, int count, double* sums,
    floating one
) noexcept nogil:
    """Add the products of row i and the weights of the chosen classes to `sums`."""
    cdef:
        const floating* x = row_values(rows, i, one)
        const int* places = row_places(rows, i)
        const double* w_j
        double value
        Py_ssize_t p
        int m
    for p in range(row_length(rows, i)):
        w_j = w + (p if places == NULL else places[p]) * n_classes
        value = x[p]
        for m in range(count):
            sums[m] += w_j[chosen[m]] * value
    if rows.bias != 0:
        w_j = w + rows.n_features * n_classes
        for m in range(count):
            sums[m] += w_j[chosen[m]] * rows.bias


cdef inline void add_row(
    const Rows* rows, Py_ssize_t i, double* w, Py_ssize_t n_classes, const int* chosen, int count, const double* steps,
    floating one
) noexcept nogil:
    """Add row i, times the step of each, to the weights of the chosen classes."""
    cdef:
        const floating* x = row_values(rows, i, one)
        const int* places = row_places(rows, i)
        double* w_j
        double value
        Py_ssize_t p
        int m
    for p in range(row_length(rows, i)):
        w_j = w + (p if places == NULL else places[p]) * n_classes
        value = x[p]
        for m in range(count):
            w_j[chosen[m]] += steps[m] * value
    if rows.bias != 0:
        w_j = w + rows.n_features * n_classes
        for m in range(count):
            w_j[chosen[m]] += steps[m] * rows.bias


@boundscheck(False)
@wraparound(False)
@cdivision(True)
def crammer_singer(
    const floating[:, ::1] dense,
    const floating[::1] data,
    const int[::1] indices,
    const int[::1] indptr,
    double bias,
    const int[::1] order,
    const int[::1] classes,
    const double[::1] costs,
    double tol,
    uint32_t[::1] draws,
    double[:, ::1] w,
    bint verbose,
):
    """Fit all classes at once.

    Parameters
    ----------
    classes : ndarray of shape (n_samples,)
        The class of each sample, a column of `w`.
    w : ndarray of shape (n_features, n_classes) or (n_features + 1, n_classes)
        Zeros; the weights in the end, those of the bias last.

    Other parameters are those of `_liblinear_dual.dual_svc`.

    Returns
    -------
    n_iter : int
    """
    cdef:
        Rows rows
        floating one = 1
        Py_ssize_t n = order.shape[0]
        Py_ssize_t active = n
        Py_ssize_t s, i
        Py_ssize_t cost_of_row
        Py_ssize_t left
        int n_classes = <int> w.shape[1]
        int m, kept, own, count
        int n_iter = 0
        int[::1] index = np.array(order)
        # Of each sample: its alphas by class; its classes, those in use first; how many these are; where its own is.
        double[:, ::1] alphas = np.zeros((classes.shape[0], n_classes))
        int[:, ::1] class_lists = np.tile(np.arange(n_classes, dtype=np.intc), (classes.shape[0], 1))
        int[::1] in_use = np.full(classes.shape[0], n_classes, dtype=np.intc)
        int[::1] own_places = np.array(classes)
        double[::1] curvatures = np.empty(classes.shape[0])
        double[::1] gradients = np.empty(n_classes)
        double[::1] linear = np.empty(n_classes)
        double[::1] spare = np.empty(n_classes)
        double[::1] new_alphas = np.empty(n_classes)
        int[::1] changed = np.empty(n_classes, dtype=np.intc)
        double[::1] steps = np.empty(n_classes)
        double* alpha
        int* listed
        double curvature, cost, least, largest, step, spread
        double shrink_tol = max(10.0 * tol, 1.0)
        bint from_all = True

    cost_of_row = n_classes * set_rows(&rows, NULL, dense, data, indices, indptr, bias, w.shape[0] - (bias != 0))
    left = BLOCK

    with nogil:
        for s in range(n):
            curvatures[index[s]] = squares(&rows, index[s], one)

        while n_iter < MOST_PASSES:
            spread = -INFINITY
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
                i = index[s]
                curvature = curvatures[i]
                if not curvature > 0:
                    s += 1
                    continue
                alpha = &alphas[i, 0]
                listed = &class_lists[i, 0]
                cost = costs[i]
                kept = in_use[i]
                own = own_places[i]
                for m in range(kept):
                    gradients[m] = m != own
                add_products(&rows, i, &w[0, 0], n_classes, listed, kept, &gradients[0], one)

                least = INFINITY
                largest = -INFINITY
                for m in range(kept):
                    if alpha[listed[m]] < 0 and gradients[m] < least:
                        least = gradients[m]
                    if gradients[m] > largest:
                        largest = gradients[m]
                if own < kept and alpha[classes[i]] < cost and gradients[own] < least:
                    least = gradients[own]

                m = 0
                while m < kept:
                    if may_rest(m == own, alpha[listed[m]], cost, gradients[m], least):
                        kept -= 1
                        # Another class takes its place, the last one that stays in use.
                        while kept > m:
                            if not may_rest(kept == own, alpha[listed[kept]], cost, gradients[kept], least):
                                listed[m], listed[kept] = listed[kept], listed[m]
                                gradients[m], gradients[kept] = gradients[kept], gradients[m]
                                if own == kept:
                                    own = m
                                elif own == m:
                                    own = kept
                                break
                            kept -= 1
                    m += 1
                in_use[i] = kept
                own_places[i] = own
                if kept <= 1:
                    active -= 1
                    index[s], index[active] = index[active], index[s]
                    continue
                s += 1
                if largest - least <= LEAST_SPREAD:
                    continue
                spread = max(largest - least, spread)

                for m in range(kept):
                    linear[m] = gradients[m] - curvature * alpha[listed[m]]
                solve_one(curvature, own, cost, kept, &linear[0], &spare[0], &new_alphas[0])
                count = 0
                for m in range(kept):
                    step = new_alphas[m] - alpha[listed[m]]
                    alpha[listed[m]] = new_alphas[m]
                    if fabs(step) >= LEAST_STEP:
                        changed[count] = listed[m]
                        steps[count] = step
                        count += 1
                add_row(&rows, i, &w[0, 0], n_classes, &changed[0], count, &steps[0], one)

            n_iter += 1
            if verbose and n_iter % 10 == 0:
                with gil:
                    print(".", end="", flush=True)
            if spread < shrink_tol:
                if spread < tol and from_all:
                    break
                # The end must hold for all samples and classes.
                active = n
                for s in range(n):
                    in_use[index[s]] = n_classes
                shrink_tol = max(shrink_tol / 2, tol)
                from_all = True
                if verbose:
                    with gil:
                        print("*", end="", flush=True)
            else:
                from_all = False

    if verbose:
        chosen = np.asarray(order)
        alpha_values = np.asarray(alphas)[chosen]
        print(f"\noptimization finished, #iter = {n_iter}")
        if n_iter >= MOST_PASSES:
            print("\nWARNING: reaching max number of iterations")
        value = 0.5 * np.vdot(w, w) + alpha_values.sum()
        value -= alpha_values[np.arange(len(chosen)), np.asarray(classes)[chosen]].sum()
        print(f"Objective value = {value:f}\nnSV = {np.count_nonzero(alpha_values)}")
    return n_iter
