"""Solvers of logistic regression over the kernel that computes its objective.

L-BFGS runs in the kernel as a whole, since most of a small fit would be calls. Newton's methods are scikit-learn's own,
over a loss whose passes are the kernel's.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn._loss.loss import HalfBinomialLoss, HalfMultinomialLoss
from sklearn.linear_model._glm.glm import NewtonCholeskySolver
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.linear_model._logistic import _LOGISTIC_SOLVER_CONVERGENCE_MSG
from sklearn.utils.optimize import _check_optimize_result, _newton_cg

from fastml import _core
from fastml._support import threads

SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky")
"""The solvers that run on the kernel. The others are scikit-learn's own."""

_REDUCTION_TOLERANCE = 64 * np.finfo(float).eps

_STATUS = {"flat": 0, "no_progress": 0, "iterations": 1, "evaluations": 1, "abnormal": 2}

_MESSAGES = {
    "iterations": "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT",
    "evaluations": "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT",
    "abnormal": "ABNORMAL: ",
}
"""SciPy's."""


class LogisticProblem:
    """Samples, classes and weights, ready to be solved for any strength of the penalty.

    Parameters
    ----------
    X : ndarray (C-contiguous) or CSR array of shape (n_samples, n_features), float32 or float64
        The samples.
    codes : ndarray of shape (n_samples,)
        The number of each sample's class.
    n_classes : int
        The number of classes, at least 2.
    weights : ndarray of shape (n_samples,) or None
        The weight of each sample, in the type of X.
    fit_intercept : bool
        Whether there are intercepts.
    solver : {"lbfgs", "newton-cg", "newton-cholesky"}
        Which solver.
    n_threads : int or None
        Threads of the kernel; None for as many as the work is worth.
    """

    def __init__(
        self,
        X: Any,
        codes: np.ndarray,
        n_classes: int,
        weights: np.ndarray | None,
        *,
        fit_intercept: bool,
        solver: str,
        n_threads: int | None = None,
    ) -> None:
        self.X = X
        self.solver = solver
        self.fit_intercept = fit_intercept
        self.n_outputs = 1 if n_classes == 2 else n_classes
        self.n_coefficients = X.shape[1] + int(fit_intercept)
        self.total_weight = X.shape[0] if weights is None else float(np.sum(weights))
        samples, dtype = _as_kernel_input(X)
        self._codes: np.ndarray = np.ascontiguousarray(codes, dtype=dtype)
        self._weights: np.ndarray | None = None if weights is None else np.ascontiguousarray(weights, dtype=dtype)
        if n_threads is None:
            work = 2.0 * (X.nnz if issparse(X) else X.size) * self.n_outputs
            if solver == "newton-cholesky":
                work *= X.shape[1] * self.n_outputs / 2
            n_threads = threads.n_threads(work=work)
        self._n_threads = n_threads
        self._kernel = self._kernel_of(samples, self._codes, self._weights)

    def _kernel_of(self, samples: Any, codes: np.ndarray, weights: np.ndarray | None) -> _core.LogisticLoss:
        return _core.LogisticLoss(
            samples, codes, weights, self.n_outputs, self.total_weight, self.fit_intercept, self._n_threads
        )

    def _in_double(self) -> _core.LogisticLoss:
        """Return the kernel of the same problem with all its numbers in double."""
        weights = None if self._weights is None else self._weights.astype(np.float64)
        return self._kernel_of(self.X.astype(np.float64), self._codes.astype(np.float64), weights)

    def start(self, coef: np.ndarray | None) -> np.ndarray:
        """Return the first point of a solver.

        Parameters
        ----------
        coef : ndarray of shape (n_outputs, n_coefficients) or (n_coefficients,), or None
            Coefficients with their intercepts; None for zeros.

        Returns
        -------
        point : ndarray of shape (n_outputs * n_coefficients,), float64
            The outputs of a feature side by side.

        Raises
        ------
        ValueError
            scikit-learn's, where the shape does not fit.
        """
        if coef is None:
            return np.zeros(self.n_outputs * self.n_coefficients)
        shape = (self.n_outputs, self.n_coefficients)
        if self.n_outputs == 1:
            if coef.shape not in (shape, shape[1:]):
                raise ValueError(
                    f"Initialization coef is of shape {coef.shape}, expected shape {shape[1:]} or (1, {shape[1]})"
                )
        elif coef.shape != shape:
            raise ValueError(f"Initialization coef is of shape {coef.shape}, expected shape {shape}")
        return np.array(coef, dtype=np.float64).reshape(shape).ravel(order="F")

    def coefficients(self, point: np.ndarray) -> np.ndarray:
        """Return a point as scikit-learn's array of shape (n_coefficients,) or (n_classes, n_coefficients)."""
        point = point.astype(self.X.dtype)
        return point if self.n_outputs == 1 else point.reshape((self.n_outputs, -1), order="F")

    def solve(
        self, C: float, start: np.ndarray, *, tol: float, max_iter: int, verbose: int = 0
    ) -> tuple[np.ndarray, int]:
        """Return the solution for one strength of the penalty, and the number of iterations.

        Warns as scikit-learn does where the solver did not converge.
        """
        l2 = 1.0 / (C * self.total_weight)
        if self.solver == "lbfgs":
            point, _, n_iter, outcome = self._kernel.minimize_lbfgs(
                start, l2, max_iter, float(tol), _REDUCTION_TOLERANCE
            )
            if outcome == "abnormal" and n_iter < max_iter and self.X.dtype == np.float32 and not issparse(self.X):
                # The tolerance is below what the rounding of float32 products lets a line search see.
                point, _, more, outcome = self._in_double().minimize_lbfgs(
                    point, l2, max_iter - n_iter, float(tol), _REDUCTION_TOLERANCE
                )
                n_iter += more
            result = SimpleNamespace(nit=n_iter, status=_STATUS[outcome], message=_MESSAGES.get(outcome))
            return point, _check_optimize_result(
                "lbfgs", result, max_iter, extra_warning_msg=_LOGISTIC_SOLVER_CONVERGENCE_MSG
            )
        loss = _KernelLoss(self._kernel, self.n_outputs, self.fit_intercept)
        if self.solver == "newton-cg":
            return _newton_cg(
                grad_hess=loss.gradient_hessian_product,
                func=loss.loss,
                grad=loss.gradient,
                x0=start,
                args=(self.X, self._codes, self._weights, l2, 1),
                maxiter=max_iter,
                tol=tol,
                verbose=verbose,
            )
        solver = NewtonCholeskySolver(
            coef=start.copy(), linear_loss=loss, l2_reg_strength=l2, tol=tol, max_iter=max_iter, verbose=verbose
        )
        coef = solver.solve(X=self.X, y=self._codes, sample_weight=self._weights)
        return coef.ravel(order="F"), solver.iteration


def _as_kernel_input(X: Any) -> tuple[Any, type]:
    """Return the samples as the binding takes them, and the type that it computes in."""
    if not issparse(X):
        return X, X.dtype.type
    # Sparse rows are computed in double: the time goes to gathering, and float32 would lose for nothing.
    arrays = (
        np.ascontiguousarray(X.data, dtype=np.float64),
        np.ascontiguousarray(X.indices, dtype=np.int32),
        np.ascontiguousarray(X.indptr, dtype=np.int64),
    )
    return (*arrays, X.shape[1]), np.float64


class _KernelLoss(LinearModelLoss):
    """scikit-learn's loss of a linear model, computed by the kernel.

    Samples, targets, weights and predictions that are handed over are ignored: the kernel has them, and computes scores
    again in the pass that needs them.
    """

    def __init__(self, kernel: _core.LogisticLoss, n_outputs: int, fit_intercept: bool) -> None:
        base_loss = HalfBinomialLoss() if n_outputs == 1 else HalfMultinomialLoss(n_classes=n_outputs)
        super().__init__(base_loss=base_loss, fit_intercept=fit_intercept)
        self._kernel = kernel
        self._last: tuple[np.ndarray, float, float, np.ndarray] | None = None

    def _evaluate(self, coef: np.ndarray, l2: float) -> tuple[float, np.ndarray]:
        # Line searches ask for the loss and then for the gradient at the same point.
        if self._last is None or self._last[1] != l2 or not np.array_equal(self._last[0], coef):
            self._last = (coef.copy(), l2, *self._kernel.loss_gradient(coef, l2))
        return self._last[2], self._last[3]

    def weight_intercept_raw(self, coef, X):
        return (*self.weight_intercept(coef), 0.0)

    def loss(self, coef, X, y, sample_weight=None, l2_reg_strength=0.0, n_threads=1, raw_prediction=None):
        return self._evaluate(coef, l2_reg_strength)[0]

    def gradient(self, coef, X, y, sample_weight=None, l2_reg_strength=0.0, n_threads=1, raw_prediction=None):
        return self._evaluate(coef, l2_reg_strength)[1].copy()

    def loss_gradient(self, coef, X, y, sample_weight=None, l2_reg_strength=0.0, n_threads=1, raw_prediction=None):
        loss, gradient = self._evaluate(coef, l2_reg_strength)
        return loss, gradient.copy()  # solvers write into it

    def gradient_hessian(
        self,
        coef,
        X,
        y,
        sample_weight=None,
        l2_reg_strength=0.0,
        n_threads=1,
        gradient_out=None,
        hessian_out=None,
        raw_prediction=None,
    ):
        _, gradient, hessian = self._kernel.loss_gradient_hessian(coef, l2_reg_strength)
        if gradient_out is not None:
            gradient_out[...] = gradient
        if hessian_out is not None:
            hessian_out[...] = hessian
        # scikit-learn leaves Newton's method where a quarter of the curvatures are not positive. Those of this loss
        # are, until they underflow; the Hessian is singular then, which the solver sees.
        return gradient, hessian, False

    def gradient_hessian_product(self, coef, X, y, sample_weight=None, l2_reg_strength=0.0, n_threads=1):
        loss, gradient = self._kernel.loss_gradient_curvature(coef, l2_reg_strength)
        self._last = (coef.copy(), l2_reg_strength, loss, gradient)
        return gradient.copy(), lambda s: self._kernel.hessian_product(s, l2_reg_strength)
