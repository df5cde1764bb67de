"""Stochastic gradient descent, one sample after the other, as scikit-learn does it.

It can be read beside `sklearn/linear_model/_sgd_fast.pyx.tp`: the same samples in the same order, the same steps, the
same rule for when to stop. What differs:

* Products with a row and additions of a row are vector kernels. float64 sums are added in another order.
* The next rows are fetched from memory while a sample is learned, since shuffled rows come from all over X.
* The same seed shuffles before every epoch, so the permutation is the same one: it is drawn once, then applied.
* Losses, norms and the objective are computed only where something depends on them.
* Ctrl-C ends the loop between two blocks of samples.
"""

import numpy as np
from time import perf_counter

from cpython.exc cimport PyErr_CheckSignals
from cython cimport boundscheck, cdivision, floating, wraparound
from libc.math cimport INFINITY, isfinite, pow, sqrt
from libc.stdint cimport uint8_t, uint32_t

from fastml import _core

from fastml.linear_model cimport _vector_kernels as kernels_of
from fastml.linear_model._sgd_losses cimport HINGE, loss_derivative, loss_value
from fastml.linear_model._sgd_weights cimport (
    NO_NORMS,
    SQUARES,
    SQUARES_AND_ABSOLUTES,
    Weights,
    carry_out_scale,
    multiply,
    row_add,
    row_add_average,
    row_dot,
)

cdef extern from *:
    void __builtin_prefetch(const void* address, int to_write, int locality) noexcept nogil

# As in scikit-learn's tables, PENALTY_TYPES and LEARNING_RATE_TYPES.
cdef enum Penalty:
    NO_PENALTY = 0
    L1 = 1
    L2 = 2
    ELASTICNET = 3

cdef enum LearningRate:
    CONSTANT = 1
    OPTIMAL = 2
    INVSCALING = 3
    ADAPTIVE = 4
    PA1 = 5
    PA2 = 6

cdef enum:
    # How many samples ahead rows are fetched, into L2, which has room for them and more requests on their way than L1.
    # Best of many fits on a Zen 4 with other work, 100000 x 20 float64, a sample and epoch: 107 ns 3 samples ahead in
    # L1, 67 ns 6 ahead, 84 ns 12 ahead; 65 ns 12 ahead in L2. With 40 features all but the first are equal.
    AHEAD = 12
    # Of a row, the lines fetched at most. The processor sees by itself how a longer row goes on.
    MOST_LINES = 12
    LINE = 64  # bytes
    # Multiply-adds, roughly, between two looks at Ctrl-C: 10 ms.
    BLOCK = 1 << 24


cdef double MOST_DERIVATIVE = 1e12  # what derivatives are clipped to, against overflow


cdef inline void prefetch(const void* address) noexcept nogil:
    __builtin_prefetch(address, 0, 2)


cdef inline void prefetch_run(const void* begin, const void* end) noexcept nogil:
    """Fetch the lines of a run of values, or the first of them."""
    cdef:
        const char* line = <const char*> (<size_t> begin & ~(<size_t> LINE - 1))
        const char* last = min(<const char*> end, line + MOST_LINES * LINE)
    while line < last:
        prefetch(line)
        line += LINE


cdef class Cancel:
    """A flag that ends the fits that look at it."""

    cdef public bint requested


@boundscheck(False)
@wraparound(False)
cdef void shuffle_in_place(int[::1] index, uint32_t seed) noexcept nogil:
    """Fisher-Yates shuffle, with scikit-learn's 32-bit xorshift generator."""
    cdef:
        uint32_t n = <uint32_t> index.shape[0]
        uint32_t i, j
    if seed == 0:
        seed = 1
    for i in range(n - 1):
        seed ^= seed << 13
        seed ^= seed >> 17
        seed ^= seed << 5
        j = i + (seed & 0x7FFFFFFF) % (n - i)
        index[i], index[j] = index[j], index[i]


@boundscheck(False)
@wraparound(False)
cdef void permute(const int[::1] old, const int[::1] permutation, int[::1] new) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(old.shape[0]):
        new[i] = old[permutation[i]]


@boundscheck(False)
@wraparound(False)
cdef bint all_finite(const floating[::1] values) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(values.shape[0]):
        if not isfinite(values[i]):
            return False
    return True


@cdivision(True)
cdef inline double inverse_power(double eta0, double t, double power_t) noexcept nogil:
    # The exponents that the estimators have by default need no logarithm.
    if power_t == 0.5:
        return eta0 / sqrt(t)
    if power_t == 0.25:
        return eta0 / sqrt(sqrt(t))
    return eta0 / pow(t, power_t)


@boundscheck(False)
@wraparound(False)
@cdivision(True)
def plain_sgd(
    floating[::1] coef,
    double intercept,
    floating[::1] average_coef,
    double average_intercept,
    int loss,
    double loss_parameter,
    int penalty_type,
    double alpha,
    double l1_ratio,
    const floating[:, ::1] dense,
    const floating[::1] data,
    const int[::1] indices,
    const int[::1] indptr,
    const floating[::1] targets,
    const floating[::1] sample_weights,
    const uint8_t[::1] validation_mask,
    validation_score,
    int n_iter_no_change,
    unsigned int max_iter,
    double tol,
    bint fit_intercept,
    int verbose,
    bint shuffle,
    uint32_t seed,
    double weight_pos,
    double weight_neg,
    int learning_rate,
    double eta0,
    double power_t,
    bint one_class,
    double t,
    double intercept_decay,
    long average,
    Cancel cancel,
):
    """Fit a binary classifier, a regressor or a One-Class SVM.

    Parameters
    ----------
    coef, average_coef : ndarray of shape (n_features,)
        Where to start from; changed in place. `average_coef` is None without averaging.
    loss, loss_parameter : int, float
        Of `_sgd_losses.pxd`.
    dense : ndarray of shape (n_samples, n_features), or None
        The samples; None where they are CSR, given by `data`, `indices` and `indptr`, which are None otherwise.
    targets : ndarray of shape (n_samples,)
        -1 and 1, or 0 and 1 for the log loss, or what is to be predicted.
    sample_weights : ndarray of shape (n_samples,), or None
        None for ones.
    validation_mask : ndarray of shape (n_samples,), uint8, or None
        The samples that are not learned; None for none.
    validation_score : callable or None
        Given the weights and the intercept, what early stopping goes by. None for none.
    cancel : Cancel
        Ends the fit when it is requested by another thread.

    Other parameters have the meaning that they have in scikit-learn's function.

    Returns
    -------
    intercept, average_intercept, n_iter

    Raises
    ------
    ValueError
        When the intercept or a weight is not finite at the end of an epoch.
    """
    cdef:
        bint sparse = dense is None
        Py_ssize_t n_samples = targets.shape[0]
        Py_ssize_t n_features = coef.shape[0]
        Weights w
        floating one = 1
        # Whether anything depends on the objective, which is the loss and the penalty of each sample before its step.
        bint early_stopping = validation_score is not None
        bint needs_loss = verbose > 0 or (not early_stopping and tol > -INFINITY)
        bint passive_aggressive = learning_rate == PA1 or learning_rate == PA2
        bint needs_penalty = needs_loss and penalty_type > 0 and not passive_aggressive
        Py_ssize_t n_values = n_features
        Py_ssize_t block = max(1, BLOCK // (16 + (data.shape[0] // max(1, n_samples) if sparse else n_features)))
        Py_ssize_t block_end, start, i, k
        const floating* x
        const int* places = NULL
        unsigned int epoch = 0
        unsigned int count = 0
        unsigned int train_count = n_samples
        int no_improvement_count = 0
        double eta = eta0
        double optimal_init = 0.0
        double p, y, value, update, step, derivative, score, objective
        double class_weight
        double sumloss, objective_sum
        double best_objective = INFINITY
        double best_score = -INFINITY
        double u = 0.0  # of the L1 penalty: what a weight would have received if it had been touched by every sample
        floating[::1] q = None  # and what it has received
        floating* received = NULL
        int[::1] order = np.arange(n_samples, dtype=np.intc)
        int[::1] permutation = None
        int[::1] spare = None

    w.kernels = kernels_of.table(_core.vector_kernels(coef.base.dtype), one)
    w.w = &coef[0]
    w.average = NULL if average_coef is None else <void*> &average_coef[0]
    w.n_features = n_features
    w.scale = w.average_b = 1.0
    w.average_a = 0.0
    w.norms = NO_NORMS
    if verbose > 0 or needs_penalty:
        w.norms = SQUARES if penalty_type == L2 else SQUARES_AND_ABSOLUTES
    w.sq_norm = kernels_of.squared_norm(w.kernels, n_features, &coef[0])
    w.l1_norm = kernels_of.absolute_sum(w.kernels, n_features, &coef[0])

    if validation_mask is not None:
        train_count -= np.sum(validation_mask)
    if penalty_type == L1 or penalty_type == ELASTICNET:
        q = np.zeros(n_features, dtype=coef.base.dtype)
        received = &q[0]
    if penalty_type == L2:
        l1_ratio = 0.0
    elif penalty_type == L1:
        l1_ratio = 1.0
    if learning_rate == OPTIMAL:
        # Bottou's: t starts so that the first step is a typical weight.
        value = sqrt(1.0 / sqrt(alpha))
        optimal_init = 1.0 / (value / max(1.0, loss_derivative(loss, loss_parameter, 1.0, -value)) * alpha)

    started = perf_counter()
    with nogil:
        for epoch in range(max_iter):
            sumloss = 0
            objective_sum = 0
            if verbose > 0:
                with gil:
                    print(f"-- Epoch {epoch + 1}")
            if shuffle:
                if epoch == 0:
                    shuffle_in_place(order, seed)
                else:
                    if epoch == 1:
                        with gil:
                            permutation = order.copy()
                            spare = np.empty(n_samples, dtype=np.intc)
                    permute(order, permutation, spare)
                    order, spare = spare, order

            block_end = 0
            while block_end < n_samples:
                start = block_end
                block_end = min(start + block, n_samples)
                with gil:
                    PyErr_CheckSignals()
                if cancel.requested:
                    break
                for i in range(start, block_end):
                    if i + AHEAD < n_samples:
                        k = order[i + AHEAD]
                        prefetch(&targets[k])
                        if sparse:
                            prefetch_run(&data[indptr[k]], &data[indptr[k + 1]])
                            prefetch_run(&indices[indptr[k]], &indices[indptr[k + 1]])
                        else:
                            prefetch_run(&dense[k, 0], &dense[k, 0] + n_features)
                    k = order[i]
                    if validation_mask is not None and validation_mask[k]:
                        continue
                    if sparse:
                        x = &data[indptr[k]]
                        places = &indices[indptr[k]]
                        n_values = indptr[k + 1] - indptr[k]
                    else:
                        x = &dense[k, 0]
                    y = targets[k]

                    p = row_dot(&w, x, places, n_values) + intercept
                    if learning_rate == OPTIMAL:
                        eta = 1.0 / (alpha * (optimal_init + t - 1))
                    elif learning_rate == INVSCALING:
                        eta = inverse_power(eta0, t, power_t)

                    if needs_loss:
                        value = loss_value(loss, loss_parameter, y, p)
                        sumloss += value
                        objective_sum += value
                        if needs_penalty:
                            objective_sum += alpha * ((1 - l1_ratio) * 0.5 * w.sq_norm + l1_ratio * w.l1_norm)
                        if one_class and not passive_aggressive:
                            objective_sum += intercept * alpha

                    if passive_aggressive:
                        update = kernels_of.squared_norm(w.kernels, n_values, x)
                        if learning_rate == PA1:
                            if update == 0:
                                continue
                            update = min(eta0, loss_value(loss, loss_parameter, y, p) / update)
                        else:
                            update = loss_value(loss, loss_parameter, y, p) / (update + 0.5 / eta0)
                        if loss == HINGE:
                            update *= y
                        elif y - p < 0:
                            update *= -1
                    else:
                        derivative = loss_derivative(loss, loss_parameter, y, p)
                        if derivative < -MOST_DERIVATIVE:
                            derivative = -MOST_DERIVATIVE
                        elif derivative > MOST_DERIVATIVE:
                            derivative = MOST_DERIVATIVE
                        update = -eta * derivative

                    class_weight = weight_pos if y > 0.0 else weight_neg
                    if sample_weights is not None:
                        update *= <floating> class_weight * sample_weights[k]
                    else:
                        update *= <floating> class_weight

                    if penalty_type >= L2:
                        # A negative factor, of an eta or alpha that is too big, would turn the weights around.
                        multiply(&w, <floating> max(0.0, 1.0 - ((1.0 - l1_ratio) * eta * alpha)))
                    if update != 0.0:
                        row_add(&w, x, places, n_values, <floating> update)
                    if fit_intercept:
                        step = update - eta * alpha if one_class else update
                        if step != 0:
                            intercept += step * intercept_decay

                    if 0 < average <= t:
                        row_add_average(&w, x, places, n_values, <floating> update, <floating> (t - average + 1))
                        average_intercept += (intercept - average_intercept) / (t - average + 1)

                    if received != NULL:
                        u += l1_ratio * eta * alpha
                        if sparse:
                            kernels_of.sparse_shrink(
                                w.kernels, n_values, places, u, w.scale, received, <floating*> w.w
                            )
                        else:
                            kernels_of.shrink(w.kernels, n_values, u, w.scale, received, <floating*> w.w)

                    t += 1
                    count += 1

            if cancel.requested:
                break
            if not isfinite(intercept) or not all_finite(coef):
                with gil:
                    raise ValueError(
                        f"Floating-point under-/overflow occurred at epoch #{epoch + 1}. Scaling input data with "
                        "StandardScaler or MinMaxScaler might help."
                    )

            objective = objective_sum / train_count
            if early_stopping:
                with gil:
                    score = validation_score(coef.base, intercept)
            if verbose > 0:
                with gil:
                    print(
                        f"Norm: {sqrt(w.sq_norm):.2f}, NNZs: {np.count_nonzero(coef)}, Bias: {intercept:.6f}, "
                        f"T: {count}, Avg. loss: {sumloss / train_count:f}, Objective: {objective:f}"
                        + (f", Validation score: {score:f}" if early_stopping else "")
                    )
                    print(f"Total training time: {perf_counter() - started:.2f} seconds.")
            if early_stopping:
                if tol > -INFINITY and score < best_score + tol:
                    no_improvement_count += 1
                else:
                    no_improvement_count = 0
                if score > best_score:
                    best_score = score
            else:
                if tol > -INFINITY and objective > best_objective - tol:
                    no_improvement_count += 1
                else:
                    no_improvement_count = 0
                if objective < best_objective:
                    best_objective = objective

            if no_improvement_count >= n_iter_no_change:
                if learning_rate == ADAPTIVE and eta > 1e-6:
                    eta = eta / 5
                    no_improvement_count = 0
                else:
                    if verbose:
                        with gil:
                            print(
                                f"Convergence after {epoch + 1} epochs took {perf_counter() - started:.2f} seconds"
                            )
                    break

    carry_out_scale(&w, one)
    return intercept, average_intercept, epoch + 1
