# cython: boundscheck=False, wraparound=False, cdivision=True
"""Coordinate descent for the lasso and the elastic net, over a path of penalties.

It can be read beside `sklearn/linear_model/_cd_fast.pyx`, which has these steps once for each form of the data, for one
penalty. Coordinates are visited in the same order, features are screened at the same moments by the same rule (Fercoq
et al., 2015), and the duality gap decides when to stop, so that `n_iter` is the same number. What differs:

- How products with the residual are had is up to a `Residual`: from columns, or from rows of the Gram matrix.
- A weight of zero whose product is known to stay below the penalty is passed by without computing the product.
- Weights, gaps and penalties are double, whatever the type of the data.

The problem is, for a penalty `alpha` and a ridge `beta`,

    min  1/2 |y - X w|^2 + alpha |w|_1 + beta/2 |w|^2

With several tasks, y and w have a column for each of them, and a feature's weights in all tasks are one coordinate:
their length takes the place of the absolute weight (Simon, Friedman and Hastie, 2013).
"""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport INFINITY, fabs, sqrt
from libc.stdint cimport int64_t, uint8_t, uint32_t

LARGEST_SEED = 2147483647
"""Exclusive bound of the seeds that scikit-learn's solver draws, one for each penalty."""

cdef Py_ssize_t WORK_BETWEEN_SIGNALS = 50_000_000  # multiply-adds: some hundredths of a second


cdef class Residual:
    """The residual y - X w and the columns of X, seen through their inner products."""

    def __cinit__(self):
        self.patience = INFINITY
        self.n_tasks = 1

    cdef Residual successor(self):
        return self

    cdef int restart(self, const double* w) except -1 nogil:
        with gil:
            raise NotImplementedError

    cdef void begin_sweep(self, const uint32_t* active, Py_ssize_t n_active) noexcept nogil:
        pass

    cdef double product(self, Py_ssize_t j) noexcept nogil:
        return 0.0

    cdef void task_products(self, Py_ssize_t j, double* out) noexcept nogil:
        out[0] = self.product(j)

    cdef bint is_below(self, Py_ssize_t j, bint positive) noexcept nogil:
        return False

    cdef int move(self, Py_ssize_t j, double step) except -1 nogil:
        with gil:
            raise NotImplementedError

    cdef int move_tasks(self, Py_ssize_t j, const double* steps) except -1 nogil:
        return self.move(j, steps[0])

    cdef int products(self, const double* w, double* out, double* sums) except -1 nogil:
        with gil:
            raise NotImplementedError


cdef class Solver:
    """One problem, with what its penalties share: weights, buffers and options."""

    cdef:
        Residual residual
        double[::1] w
        double[::1] XtA  # X.T @ (y - X w) - beta w
        double[::1] sizes  # of the products in XtA: their lengths over the tasks
        double[::1] new, steps  # of a feature's weights
        uint32_t[::1] active  # the features that are visited: the first n_active
        uint8_t[::1] excluded
        uint8_t[::1] stop
        Py_ssize_t n_active, n_tasks, done
        double alpha, beta, tol, gap, largest_product
        bint random, positive, screening

    def __init__(self, Residual residual, w, double tol, bint random, bint positive, bint screening, stop):
        n_features = residual.n_features
        n_weights = n_features * residual.n_tasks
        if w.shape != (n_weights,) or stop.shape != (1,):
            raise ValueError(f"Solver: expected w of shape ({n_weights},), given {w.shape}.")
        if positive and residual.n_tasks > 1:
            raise ValueError("Solver: positive weights are of one task only.")
        self.residual = residual
        self.n_tasks = residual.n_tasks
        self.w = w
        self.XtA = np.empty(n_weights)
        self.sizes = np.empty(n_features)
        self.new = np.empty(self.n_tasks)
        self.steps = np.empty(self.n_tasks)
        self.active = np.empty(n_features, dtype=np.uint32)
        self.excluded = np.empty(n_features, dtype=np.uint8)
        self.stop = stop
        self.tol = tol
        self.random = random
        self.positive = positive
        self.screening = screening

    cdef Py_ssize_t solve(self, double alpha, double beta, uint32_t seed, Py_ssize_t max_iter) except -1 nogil:
        """Descend to the gap that `tol` asks for. Returns the sweeps, max_iter + 1 if they were too few."""
        cdef:
            Py_ssize_t n_features = self.residual.n_features, n_iter, j, k
            double largest_step, largest_weight
            bint screening = self.screening and alpha != 0
            double tol = self.tol * self.residual.y_norm2
        self.alpha = alpha
        self.beta = beta
        self.residual.threshold = alpha
        self.residual.restart(&self.w[0])
        self.measure_gap()
        # Rounding may leave it below zero. Far below it can only be when a Gram matrix was given that is none.
        if -1e-5 * self.residual.y_norm2 <= self.gap <= tol:
            return 0
        self.n_active = n_features
        for j in range(n_features):
            self.active[j] = <uint32_t> j
            self.excluded[j] = self.residual.norms2[j] == 0
            if screening and self.excluded[j]:
                for k in range(j * self.n_tasks, (j + 1) * self.n_tasks):
                    self.w[k] = 0
        if screening:
            self.screen()
        for n_iter in range(max_iter):
            if self.n_tasks == 1:
                self.sweep(&seed, &largest_step, &largest_weight)
            else:
                self.sweep_tasks(&seed, &largest_step, &largest_weight)
            if largest_weight == 0 or largest_step / largest_weight <= self.tol or n_iter == max_iter - 1:
                # The largest step was small: ask the duality gap whether that is the end.
                self.measure_gap()
                if self.gap <= tol:
                    return n_iter + 1
                if screening:
                    self.screen()
            self.heed_signals()
            if self.residual.patience < 0:
                with gil:
                    self.replace_residual()
        return max_iter + 1

    cdef int replace_residual(self) except -1:
        self.residual = self.residual.successor()
        self.residual.threshold = self.alpha
        self.residual.restart(&self.w[0])
        return 0

    cdef int sweep(self, uint32_t* seed, double* largest_step, double* largest_weight) except -1 nogil:
        """Minimise over one coordinate after the other."""
        cdef:
            Py_ssize_t visit, j
            double old, new, product, norm2
            bint positive = self.positive
        largest_step[0] = 0
        largest_weight[0] = 0
        self.residual.begin_sweep(&self.active[0], self.n_active)
        for visit in range(self.n_active):
            j = self.active[next_number(seed) % <uint32_t> self.n_active if self.random else visit]
            norm2 = self.residual.norms2[j]
            old = self.w[j]
            if norm2 == 0 or (old == 0 and self.residual.is_below(j, positive)):
                continue
            product = self.residual.product(j) + old * norm2
            if fabs(product) <= self.alpha or (positive and product < 0):
                new = 0
            else:
                new = (product - self.alpha if product > 0 else product + self.alpha) / (norm2 + self.beta)
            if new != old:
                self.w[j] = new
                self.residual.move(j, new - old)
                self.done += self.residual.work
                largest_step[0] = max(largest_step[0], fabs(new - old))
            largest_weight[0] = max(largest_weight[0], fabs(new))
        self.done += self.n_active
        return 0

    cdef int sweep_tasks(self, uint32_t* seed, double* largest_step, double* largest_weight) except -1 nogil:
        """Minimise over the weights of one feature after the other."""
        cdef:
            Py_ssize_t visit, j, t
            double norm2, size, shrunk
            double* old
            double* new = &self.new[0]
            double* steps = &self.steps[0]
            bint moves
        largest_step[0] = 0
        largest_weight[0] = 0
        for visit in range(self.n_active):
            j = self.active[next_number(seed) % <uint32_t> self.n_active if self.random else visit]
            norm2 = self.residual.norms2[j]
            old = &self.w[j * self.n_tasks]
            if norm2 == 0 or (are_zero(self.n_tasks, old) and self.residual.is_below(j, False)):
                continue
            self.residual.task_products(j, new)
            for t in range(self.n_tasks):
                new[t] += old[t] * norm2
            size = length(self.n_tasks, new)
            shrunk = (1 - self.alpha / size) / (norm2 + self.beta) if size > self.alpha else 0
            moves = False
            for t in range(self.n_tasks):
                new[t] *= shrunk
                steps[t] = new[t] - old[t]
                moves = moves or steps[t] != 0
                largest_step[0] = max(largest_step[0], fabs(steps[t]))
                largest_weight[0] = max(largest_weight[0], fabs(new[t]))
                old[t] = new[t]
            if moves:
                self.residual.move_tasks(j, steps)
                self.done += self.residual.work
        self.done += self.n_active
        return 0

    cdef int measure_gap(self) except -1 nogil:
        """Set `gap`, the products `XtA` with their sizes, and the largest of these.

        scikit-learn's two forms of the dual: with an L1 penalty, the residual scaled until it is feasible; with a ridge
        only, the residual as it is. Without any penalty there is no gap, and the gradient takes its place.
        """
        cdef:
            Py_ssize_t n_features = self.residual.n_features, n_tasks = self.n_tasks, j, k
            double alpha = self.alpha, beta = self.beta
            double sums[2]
            double norm1 = 0, norm2 = 0, largest = 0, scale
        self.residual.products(&self.w[0], &self.XtA[0], sums)
        self.done += n_features * self.residual.work
        if alpha == 0:
            for k in range(n_features * n_tasks):
                largest += self.XtA[k] * self.XtA[k]
                norm2 += self.w[k] * self.w[k]
            self.gap = largest
            if beta != 0:
                self.gap = sums[0] + 0.5 * beta * norm2 - sums[1] + largest / (2 * beta)
            return 0
        for k in range(n_features * n_tasks):
            self.XtA[k] -= beta * self.w[k]
            norm2 += self.w[k] * self.w[k]
        for j in range(n_features):
            self.sizes[j] = length(n_tasks, &self.XtA[j * n_tasks])
            if not self.positive or self.XtA[j] > 0:
                largest = max(largest, self.sizes[j])
            norm1 += length(n_tasks, &self.w[j * n_tasks])
        scale = alpha / largest if largest > alpha else 1.0
        self.gap = 0.5 * (1 + scale * scale) * (sums[0] + beta * norm2) + alpha * norm1 - scale * sums[1]
        self.largest_product = largest
        return 0

    cdef int screen(self) except -1 nogil:
        """Leave out features that are certain to be zero at the optimum, by the ball that the gap spans."""
        cdef:
            Py_ssize_t n_tasks = self.n_tasks, j, t
            double* weights
            double dual, distance
            double radius = sqrt(2 * fabs(self.gap)) / self.alpha
        self.n_active = 0
        for j in range(self.residual.n_features):
            if self.excluded[j]:
                continue
            dual = self.sizes[j] / max(self.alpha, self.largest_product)
            distance = (1 - dual) / sqrt(self.residual.norms2[j] + self.beta)
            if distance <= radius:
                self.active[self.n_active] = <uint32_t> j
                self.n_active += 1
            else:
                weights = &self.w[j * n_tasks]
                if not are_zero(n_tasks, weights):
                    for t in range(n_tasks):
                        self.steps[t] = -weights[t]
                        weights[t] = 0
                    self.residual.move_tasks(j, &self.steps[0])
                self.excluded[j] = 1
        return 0

    cdef int heed_signals(self) except -1 nogil:
        """Let Ctrl-C through, and end when the thread that waits for this one says so."""
        if self.done > WORK_BETWEEN_SIGNALS:
            self.done = 0
            with gil:
                PyErr_CheckSignals()
                if self.stop[0]:
                    raise InterruptedError("stopped by the thread that waits for the solution")
        return 0


def descend(
    Residual residual,
    w,
    const double[::1] alphas,
    const double[::1] betas,
    const uint32_t[::1] seeds,
    *,
    Py_ssize_t max_iter,
    double tol,
    bint random,
    bint positive,
    bint screening,
    stop,
):
    """Solve for one penalty after the other, each from the weights of the one before.

    Parameters
    ----------
    residual : Residual
        The data.
    w : ndarray of shape (n_features * n_tasks,), float64
        Where to start, feature after feature. Overwritten: the weights of the last penalty.
    alphas, betas : ndarray of shape (n_penalties,), float64
        Penalties on the absolute weights and on half their squares.
    seeds : ndarray of shape (n_penalties,), uint32
        Where the random choice of coordinates begins.
    max_iter : int
        The most sweeps over the features, for each penalty.
    tol : float
        The gap that is small enough, as a part of y @ y.
    random : bool
        Whether coordinates are drawn, or visited in turn.
    positive : bool
        Whether weights may not be negative.
    screening : bool
        Whether features are left out once they are known to be zero.
    stop : ndarray of shape (1,), uint8
        When another thread sets it, InterruptedError is raised.

    Returns
    -------
    weights : ndarray of shape (n_penalties, n_features * n_tasks), float64
    gaps : ndarray of shape (n_penalties,), float64
        The duality gaps.
    n_iters : ndarray of shape (n_penalties,), int64
        The sweeps.
    converged : ndarray of shape (n_penalties,), bool
        Whether the gap was small enough after them.
    """
    cdef:
        Py_ssize_t n_penalties = alphas.shape[0], i, n_iter
        Solver solver = Solver(residual, w, tol, random, positive, screening, stop)
    weights = np.empty((n_penalties, len(w)))
    gaps = np.empty(n_penalties)
    n_iters = np.empty(n_penalties, dtype=np.int64)
    cdef:
        double[:, ::1] weights_out = weights
        double[::1] gaps_out = gaps
        int64_t[::1] n_iters_out = n_iters
    if betas.shape[0] != n_penalties or seeds.shape[0] != n_penalties:
        raise ValueError("descend: expected as many betas and seeds as alphas.")
    with nogil:
        for i in range(n_penalties):
            n_iter = solver.solve(alphas[i], betas[i], seeds[i], max_iter)
            n_iters_out[i] = n_iter
            gaps_out[i] = solver.gap
            weights_out[i, :] = solver.w
    converged = n_iters <= max_iter
    np.minimum(n_iters, max_iter, out=n_iters)
    return weights, gaps, n_iters, converged


cdef inline double length(Py_ssize_t n, const double* values) noexcept nogil:
    cdef:
        Py_ssize_t i
        double total = 0
    if n == 1:
        return fabs(values[0])
    for i in range(n):
        total += values[i] * values[i]
    return sqrt(total)


cdef inline bint are_zero(Py_ssize_t n, const double* values) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if values[i] != 0:
            return False
    return True


cdef inline uint32_t next_number(uint32_t* state) noexcept nogil:
    """Marsaglia's xorshift of 32 bits, with the shifts and the range of scikit-learn's `our_rand_r`."""
    if state[0] == 0:
        state[0] = 1
    state[0] ^= state[0] << 13
    state[0] ^= state[0] >> 17
    state[0] ^= state[0] << 5
    return state[0] % (<uint32_t> 2147483647 + 1)
