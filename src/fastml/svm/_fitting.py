"""Fitting of kernel machines: scikit-learn's checks, warnings and attributes around our solver.

scikit-learn's ``fit`` calls ``_dense_fit`` or ``_sparse_fit`` with samples that it has checked: these two are ours. The
messages about weights and ``nu`` are LIBSVM's, which has checks of its own.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.svm._base import BaseLibSVM
from sklearn.utils import _align_api_if_sparse

from fastml import _core
from fastml._support import threads
from fastml._support.dispatch import accelerated

_CLASSIFIERS = ("c_svc", "nu_svc")
_PRINTED = ("n_iter", "objective", "intercept", "problem_support", "problem_bounded")


class Fitting(BaseLibSVM):
    """What SVC, NuSVC, SVR, NuSVR and OneClassSVM share before they are fitted."""

    @accelerated()
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y, sample_weight)

    def _dense_fit(self, X, y, sample_weight, solver_type, kernel, random_seed):
        if callable(self.kernel):
            self._BaseLibSVM__Xfit = X  # under the name that scikit-learn's methods read
            X = self._compute_kernel(X)
            if X.shape[0] != X.shape[1]:
                raise ValueError("X.shape[0] should be equal to X.shape[1]")
            if X.shape[0] > y.shape[0]:
                raise ValueError(f"the kernel returned values of {X.shape[0]} samples for {y.shape[0]}")
            y = y[: X.shape[0]]  # as scikit-learn does where a kernel returns too few; its predictions then reject it
        trained = self._train(X, y, sample_weight, kernel, random_seed)
        self.support_ = trained["support"]
        self.support_vectors_ = np.empty((0, 0)) if kernel == "precomputed" else X[self.support_]
        self.dual_coef_ = trained["dual_coef"]
        self._keep(trained)

    def _sparse_fit(self, X, y, sample_weight, solver_type, kernel, random_seed):
        X.data = np.asarray(X.data, dtype=np.float64, order="C")
        X.sort_indices()
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()  # norms are sums over what is stored
        trained = self._train(X, y, sample_weight, kernel, random_seed)
        self.support_ = trained["support"]
        self.support_vectors_ = _align_api_if_sparse(sp.csr_array(X[self.support_]))
        # Every coefficient is stored, zeros too: scikit-learn's predictions read them as a dense array.
        dense = trained["dual_coef"]
        rows, columns = dense.shape
        self.dual_coef_ = _align_api_if_sparse(
            sp.csr_array(
                (dense.ravel(), np.tile(np.arange(columns), rows), np.arange(0, dense.size + 1, columns)), dense.shape
            )
            if columns
            else sp.csr_array([[]])
        )
        self._keep(trained)

    def _keep(self, trained: dict[str, Any]) -> None:
        """Set the attributes that do not depend on the kind of the samples, and warn as scikit-learn does."""
        n_support = len(trained["support"])
        # Other machines count their support vectors twice, once for each side of LIBSVM's two classes.
        self._n_support = (
            trained["n_support"] if self._impl in _CLASSIFIERS else np.array([n_support, n_support], dtype=np.int32)
        )
        self.intercept_ = trained["intercept"]
        self._probA = trained["sigmoid_a"]
        self._probB = trained["sigmoid_b"]
        self.fit_status_ = int(trained["timed_out"])
        self._num_iter = trained["n_iter"]
        if self.verbose:
            _print_problems(trained)
        self._warn_from_fit_status()

    def _train(self, X: Any, y: np.ndarray, sample_weight: np.ndarray, kernel: str, seed: int) -> dict[str, Any]:
        """Check what LIBSVM checks, and solve.

        Parameters
        ----------
        X : ndarray or CSR array of shape (n_samples, n_features), float64
            The samples, or the values of the kernel.
        y : ndarray of shape (n_samples,), float64
            Numbers of classes, or targets.
        sample_weight : ndarray of shape (n_samples,) or (0,), float64
            Weights; none for ones.
        kernel : str
            The name of the kernel.
        seed : int
            Of the folds of probabilities.

        Returns
        -------
        trained : dict
            The solution; ``csrc/svm/train.hpp`` describes it.

        Raises
        ------
        ValueError
            Where weights leave nothing to train on, or ``nu`` is infeasible.
        """
        n_samples, n_features = X.shape
        weights = sample_weight if len(sample_weight) else np.ones(n_samples)
        y = np.ascontiguousarray(y)
        if self._gamma < 0:  # of gamma="scale", where a variance that is 0 has been rounded below it
            raise ValueError("gamma < 0")
        _check_weights(self._impl, y, weights, self.nu)
        is_classifier = self._impl in _CLASSIFIERS
        values = len(X.indices) if sp.issparse(X) else X.size
        # The rows of as many samples are computed as a fit needs; a tenth of them is little.
        work = values * max(1, n_samples / 10)
        if sp.issparse(X):
            X = (X.data, X.indices.astype(np.int32, copy=False), X.indptr.astype(np.int32, copy=False), n_features)
        else:
            X = np.require(X, dtype=np.float64, requirements=["C", "A"])
        return _core.svm_train(
            X,
            y,
            np.require(weights, dtype=np.float64, requirements=["C", "A"]),
            np.require(getattr(self, "class_weight_", np.empty(0)), dtype=np.float64, requirements=["C", "A"])
            if is_classifier
            else np.empty(0),
            machine=self._impl,
            kernel=kernel,
            degree=self.degree,
            gamma=float(self._gamma),
            coef0=float(self.coef0),
            c=float(self.C),
            nu=float(self.nu),
            epsilon=float(self.epsilon),
            tolerance=float(self.tol),
            shrinking=bool(self.shrinking),
            max_iter=self.max_iter,
            cache_megabytes=float(self.cache_size),
            probability=bool(self._effective_probability),
            seed=seed,
            n_threads=threads.n_threads(work=work),
        )


def _print_problems(trained: dict[str, Any]) -> None:
    """Print what LIBSVM prints of each problem, all at once at the end."""
    rows = zip(*(trained[key] for key in _PRINTED), strict=True)
    for n_iter, objective, intercept, n_support, n_bounded in rows:
        print(f"\noptimization finished, #iter = {n_iter}")
        print(f"obj = {objective:f}, rho = {-intercept:f}")
        print(f"nSV = {n_support}, nBSV = {n_bounded}")
    if len(trained["n_support"]):
        print(f"Total nSV = {len(trained['support'])}")


def _check_weights(machine: str, y: np.ndarray, weights: np.ndarray, nu: float) -> None:
    """Raise the errors of LIBSVM's check."""
    if machine == "nu_svc":
        totals = np.sort(np.bincount(y.astype(np.intp), weights=weights))
        # Of all pairs of classes that of the lightest and the heaviest is the first to fail.
        if len(totals) > 1 and nu * (totals[0] + totals[-1]) / 2 > totals[0]:
            raise ValueError("specified nu is infeasible")
    kept = weights > 0
    if not kept.any():
        raise ValueError("Invalid input - all samples have zero or negative weights.")
    if machine == "c_svc" and not kept.all() and np.ptp(y[kept]) == 0:
        raise ValueError("Invalid input - all samples with positive weights belong to the same class.")
