"""MiniBatchKMeans: scikit-learn's steps and stopping rules, on native kernels."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.cluster
from sklearn.base import _fit_context
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import _is_arraylike_not_scalar

from fastml import _core
from fastml._support import threads, validation
from fastml._support.dispatch import accelerated
from fastml.cluster._input import core_input
from fastml.cluster._minibatch import BatchSampler, update_centers_csr, update_centers_dense
from fastml.cluster._predicting import Predicting
from fastml.cluster._seeding import plus_plus, random_rows


class MiniBatchKMeans(Predicting, sklearn.cluster.MiniBatchKMeans):
    __doc__ = sklearn.cluster.MiniBatchKMeans.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        X = validation.validate(self, X, reset=True, sparse="csr")
        self._check_params_vs_input(X)
        random_state = check_random_state(self.random_state)
        weights = validation.sample_weight(sample_weight, X)
        if weights is None:
            weights = np.ones(X.shape[0], dtype=X.dtype)
        self._n_threads = threads.n_threads()
        n_samples = X.shape[0]
        init = self._given_init(X)

        validation_rows = random_state.randint(0, n_samples, self._init_size)
        X_valid, weights_valid = X[validation_rows], weights[validation_rows]
        best_inertia = None
        for i in range(self._n_init):
            if self.verbose:
                print(f"Init {i + 1}/{self._n_init} with method {init}")
            start = self._starting_centers(X, weights, init, random_state)
            _, inertia = _assign(X_valid, weights_valid, start)
            if self.verbose:
                print(f"Inertia for init {i + 1}/{self._n_init}: {inertia}")
            if best_inertia is None or inertia < best_inertia:
                best_inertia, centers = inertia, start

        self._counts = np.zeros(self.n_clusters, dtype=X.dtype)
        self._ewa_inertia = None
        self._ewa_inertia_min = None
        self._no_improvement = 0
        self._n_since_last_reassign = 0

        sum_of_weights = np.sum(weights)
        n_steps = (self.max_iter * n_samples) // self._batch_size
        probabilities = weights / sum_of_weights
        # Batches are drawn in proportion to the weights, so that within a batch all rows count alike.
        unit_weights = np.ones(self._batch_size, dtype=X.dtype)
        sampler = None
        batch: Any = None if sp.issparse(X) else np.empty((self._batch_size, X.shape[1]), dtype=X.dtype)
        for step in range(n_steps):
            if sampler is None:
                # The first draw is NumPy's own: it checks the probabilities.
                rows = random_state.choice(n_samples, self._batch_size, p=probabilities, replace=True)
                sampler = BatchSampler(probabilities)
            else:
                rows = sampler.draw(random_state, self._batch_size)
            batch = X[rows] if sp.issparse(X) else np.take(X, rows, axis=0, out=batch, mode="clip")
            moved, batch_inertia = self._step(batch, unit_weights, centers, self._counts, random_state)
            moved_by = np.sum((moved - centers) ** 2) if self._tol > 0.0 else 0
            centers = moved
            if self._mini_batch_convergence(step, n_steps, n_samples, moved_by, batch_inertia):
                break

        self.cluster_centers_ = centers
        self._n_features_out = self.n_clusters
        self.n_steps_ = step + 1
        self.n_iter_ = int(np.ceil(((step + 1) * self._batch_size) / n_samples))
        if self.compute_labels:
            self.labels_, self.inertia_ = _assign(X, weights, centers)
        else:
            self.inertia_ = self._ewa_inertia * sum_of_weights
        return self

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        started = hasattr(self, "cluster_centers_")
        X = validation.validate(self, X, reset=not started, sparse="csr")
        weights = validation.sample_weight(sample_weight, X)
        if weights is None:
            weights = np.ones(X.shape[0], dtype=X.dtype)
        self._random_state = getattr(self, "_random_state", check_random_state(self.random_state))
        if not started:
            self._check_params_vs_input(X)
            self._n_threads = threads.n_threads()
            init = self._given_init(X)
            self.cluster_centers_ = self._starting_centers(X, weights, init, self._random_state)
            self._counts = np.zeros(self.n_clusters, dtype=X.dtype)
            self._n_since_last_reassign = 0
        if self.cluster_centers_.dtype != X.dtype:
            X = X.astype(self.cluster_centers_.dtype)
            weights = weights.astype(self.cluster_centers_.dtype)

        counts = self._counts.copy()  # the model stays whole if this fails half way
        centers, _ = self._step(X, weights, np.ascontiguousarray(self.cluster_centers_), counts, self._random_state)
        self.cluster_centers_, self._counts = centers, counts
        if self.compute_labels:
            self.labels_, self.inertia_ = _assign(X, weights, centers)
        self.n_steps_ = getattr(self, "n_steps_", 0) + 1
        self._n_features_out = self.n_clusters
        return self

    @accelerated()
    def fit_predict(self, X, y=None, sample_weight=None):
        return self.fit(X, sample_weight=sample_weight).labels_

    @accelerated()
    def fit_transform(self, X, y=None, sample_weight=None):
        return self.fit(X, sample_weight=sample_weight)._transform(X)

    def _given_init(self, X: Any) -> Any:
        """Return `init`, checked and copied where it is an array of centres."""
        if not _is_arraylike_not_scalar(self.init):
            return self.init
        init = check_array(self.init, dtype=X.dtype, copy=True, order="C")
        self._validate_center_shape(X, init)
        return init

    def _starting_centers(self, X: Any, weights: np.ndarray, init: Any, random_state: Any) -> np.ndarray:
        """Return centres to start from, chosen on a random subset of `_init_size` rows."""
        if self._init_size < X.shape[0]:
            rows = random_state.randint(0, X.shape[0], self._init_size)
            X, weights = X[rows], weights[rows]
        if isinstance(init, np.ndarray):
            return init
        if callable(init):
            centers = init(X, self.n_clusters, random_state=random_state)
            centers = check_array(centers, dtype=X.dtype, copy=False, order="C")
            self._validate_center_shape(X, centers)
            return centers
        if init == "random":
            return random_rows(X, self.n_clusters, weights, random_state)
        n_threads = threads.n_threads(work=float(X.shape[0]) * X.shape[1])
        return plus_plus(X, self.n_clusters, weights, random_state, n_threads)[0]

    def _step(
        self, X: Any, weights: np.ndarray, centers: np.ndarray, counts: np.ndarray, random_state: Any
    ) -> tuple[np.ndarray, float]:
        """Return the centres after one batch, and the batch's inertia before it. Updates `counts`."""
        reassign = self._random_reassign()  # looks at the counts before the batch, as scikit-learn does
        labels, inertia = _assign(X, weights, centers)
        moved = np.empty_like(centers)
        if sp.issparse(X):
            update_centers_csr(X.data, X.indices, X.indptr, weights, centers, moved, counts, labels)
        else:
            update_centers_dense(X, weights, centers, moved, counts, labels)
        if reassign and self.reassignment_ratio > 0:
            self._reassign(X, moved, counts, random_state)
        return moved, inertia

    def _reassign(self, X: Any, centers: np.ndarray, counts: np.ndarray, random_state: Any) -> None:
        """Put the centres of clusters that have received little weight on random rows of the batch."""
        starved = counts < self.reassignment_ratio * counts.max()
        most = int(0.5 * X.shape[0])
        if starved.sum() > 0.5 * X.shape[0]:
            starved[np.argsort(counts)[most:]] = False
        n_starved = starved.sum()
        if n_starved:
            rows = random_state.choice(X.shape[0], replace=False, size=n_starved)
            if self.verbose:
                print(f"[MiniBatchKMeans] Reassigning {n_starved} cluster centers.")
            centers[starved] = X[rows].toarray() if sp.issparse(X) else X[rows]
        # Not so low a count that they would be reassigned at once again.
        counts[starved] = np.min(counts[~starved])


def _assign(X: Any, weights: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, float]:
    """Return labels and inertia."""
    stored = X.nnz if sp.issparse(X) else X.size
    n_threads = threads.n_threads(work=float(stored) * centers.shape[0])
    samples = core_input(X)
    labels = _core.kmeans_labels(samples, centers, n_threads)
    return labels, _core.kmeans_inertia(samples, centers, labels, weights, n_threads)
