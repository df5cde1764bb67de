"""KMeans: scikit-learn's, on native kernels."""

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.cluster
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import _is_arraylike_not_scalar

from fastml import _core
from fastml._support import threads, validation
from fastml._support.dispatch import accelerated
from fastml.cluster._input import column_means, core_input, mean_variance
from fastml.cluster._predicting import Predicting
from fastml.cluster._seeding import plus_plus, random_rows

# The largest row (times its weight) over the typical one, from which on sums are made anew in every iteration. A row
# that leaves a cluster leaves a rounding error of 1e-16 of its size in the cluster's sum. Sums are kept in double, so
# float32 data have more room.
_LARGEST_RATIO = {np.dtype(np.float32): 1e8, np.dtype(np.float64): 1e6}


class KMeans(Predicting, sklearn.cluster.KMeans):
    __doc__ = sklearn.cluster.KMeans.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        X = validation.validate(self, X, reset=True, sparse="csr")
        if X.shape[0] < self.n_clusters:
            raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}.")
        work = float(X.nnz if sp.issparse(X) else X.size) * self.n_clusters
        n_threads = self._n_threads = threads.n_threads(work=work)
        means, self._tol, largest_ratio = self._scale(X, n_threads)
        self._n_init = self._number_of_runs()
        self._algorithm = self._algorithm_in_effect()
        random_state = check_random_state(self.random_state)
        weights = validation.sample_weight(sample_weight, X)

        init = self.init
        if _is_arraylike_not_scalar(init):
            init = check_array(init, dtype=X.dtype, copy=True, order="C")
            self._validate_center_shape(X, init)
            if means is not None:
                init -= means
        elif callable(init) and means is not None:
            centred = X - means  # the function is given centred samples, as scikit-learn gives it

        if weights is not None:
            largest_ratio *= _weight_ratio(weights)
        run = (_core.LloydF32 if X.dtype == np.float32 else _core.LloydF64)(
            core_input(X),
            self.n_clusters,
            means,
            weights,
            n_threads,
            incremental=largest_ratio <= _LARGEST_RATIO[X.dtype],
        )
        best_inertia: float | None = None
        best_labels = np.empty(0, dtype=np.int32)
        for _ in range(self._n_init):
            if isinstance(init, np.ndarray):
                start = init
            elif callable(init):
                start = init(X if means is None else centred, self.n_clusters, random_state=random_state)
                start = check_array(start, dtype=X.dtype, copy=False, order="C")
                self._validate_center_shape(X, start)
            elif init == "k-means++":
                start, _ = plus_plus(X, self.n_clusters, weights, random_state, n_threads, shift=means)
            else:
                start = random_rows(X, self.n_clusters, weights, random_state, shift=means)
            if self.verbose:
                print("Initialization complete")
            run.start(start)
            self._iterate(run)
            inertia, labels = run.inertia(), run.labels()
            # A lower inertia counts only if the clusters differ: two runs that found the same ones differ by rounding.
            if best_inertia is None or (
                inertia < best_inertia and not _same_clusters(labels, best_labels, self.n_clusters)
            ):
                best_inertia, best_labels = inertia, labels
                best_centers, best_n_iter = run.centers(), run.iterations

        distinct = np.count_nonzero(np.bincount(best_labels, minlength=self.n_clusters))
        if distinct < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({distinct}) found smaller than n_clusters ({self.n_clusters}). "
                "Possibly due to duplicate points in X.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.cluster_centers_ = best_centers if means is None else best_centers + means
        self._n_features_out = self.n_clusters
        self.labels_ = best_labels
        self.inertia_ = best_inertia
        self.n_iter_ = best_n_iter
        return self

    @accelerated()
    def fit_predict(self, X, y=None, sample_weight=None):
        return self.fit(X, sample_weight=sample_weight).labels_

    @accelerated()
    def fit_transform(self, X, y=None, sample_weight=None):
        return self.fit(X, sample_weight=sample_weight)._transform(X)

    def _scale(self, X: Any, n_threads: int) -> tuple[np.ndarray | None, float, float]:
        """Return the column means (None for CSR), the tolerance in X's units and the largest deviation."""
        if sp.issparse(X):
            tolerance = float(np.mean(mean_variance_axis(X, axis=0)[1]) * self.tol) if self.tol else 0.0
            values = X.data.reshape(-1, 1)
            return None, tolerance, mean_variance(values, np.zeros(1, dtype=X.dtype), n_threads)[1] if X.nnz else 0.0
        means = column_means(X)
        variance, largest_ratio = mean_variance(X, means, n_threads)
        return means, variance * self.tol, largest_ratio

    def _number_of_runs(self) -> int:
        n_runs = self.n_init
        given = _is_arraylike_not_scalar(self.init)
        if n_runs == "auto":
            n_runs = 1 if given or (isinstance(self.init, str) and self.init == "k-means++") else 10
        if given and n_runs != 1:
            warnings.warn(
                f"Explicit initial center position passed: performing only one init in {type(self).__name__} "
                f"instead of n_init={n_runs}.",
                RuntimeWarning,
                stacklevel=3,
            )
            n_runs = 1
        return n_runs

    def _algorithm_in_effect(self) -> str:
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=3,
            )
            return "lloyd"
        return self.algorithm

    def _iterate(self, run: Any) -> None:
        """Run from the centres the run was started with until it converges, reporting as scikit-learn does."""
        outcome = "running"
        while outcome == "running" and run.iterations < self.max_iter:
            steps = 1 if self.verbose else self.max_iter - run.iterations
            outcome = run.iterate(steps, self._tol)
            if outcome == "empty_clusters":
                # The run stands between assignment and update: it goes on from there.
                _relocate(run)
                outcome = run.iterate(1, self._tol)
            if self.verbose:
                self._report(run, outcome)
        if outcome != "strict":
            run.relabel()

    def _report(self, run: Any, outcome: str) -> None:
        step = run.iterations - 1
        end = "" if self._algorithm == "elkan" else "."
        print(f"Iteration {step}, inertia {run.inertia(previous_centers=True)}{end}")
        if outcome == "strict":
            print(f"Converged at iteration {step}: strict convergence.")
        elif outcome == "tolerance":
            print(f"Converged at iteration {step}: center shift {run.center_shift} within tolerance {self._tol}.")


def _relocate(run: Any) -> None:
    """Give each empty cluster the row farthest from its centre, in the order that scikit-learn takes them."""
    distances = run.distances()
    n_empty = run.empty_clusters().size
    if np.max(distances) == 0:
        # More clusters than distinct rows: there is nowhere to go.
        run.relocate(np.empty(0, dtype=np.int64))
    else:
        run.relocate(np.argpartition(distances, -n_empty)[: -n_empty - 1 : -1].astype(np.int64))


def _weight_ratio(weights: np.ndarray) -> float:
    """Return the largest weight over the smallest, zeros left out."""
    sizes = np.abs(weights[weights != 0])
    return float(sizes.max() / sizes.min()) if sizes.size else 1.0


def _same_clusters(labels: np.ndarray, others: np.ndarray, n_clusters: int) -> bool:
    """Tell whether two labellings are equal up to the names of the clusters."""
    renamed = np.full(n_clusters, -1, dtype=np.int32)
    renamed[labels] = others
    return np.array_equal(renamed[labels], others)
