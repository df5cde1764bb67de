"""The fit of multilayer perceptrons: scikit-learn's steps, with an epoch in one call of the kernel.

To be read beside ``BaseMultilayerPerceptron._fit`` of scikit-learn, whose random draws, stopping rules, messages and
attributes these are. What differs: parameters are in the kernel while it trains, and arrays of the estimator are
replaced instead of changed, so that a failed fit leaves it as it was.
"""

import copy
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.optimize
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network._multilayer_perceptron import BaseMultilayerPerceptron
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from sklearn.utils import check_random_state
from sklearn.utils.fixes import _get_additional_lbfgs_options_dict
from sklearn.utils.optimize import _check_optimize_result
from sklearn.utils.validation import _check_sample_weight

from fastml._support import validation
from fastml.neural_network._network import (
    compute_type,
    flat,
    n_threads_for,
    new_network,
    outputs,
    parts,
    samples_for_kernel,
)


class FittingNetworks(BaseMultilayerPerceptron):
    """Fit and outputs of a multilayer perceptron. Comes before scikit-learn's class among the bases."""

    coefs_: Any
    intercepts_: Any
    loss_curve_: Any
    validation_scores_: Any
    _best_coefs: Any
    _best_intercepts: Any
    _no_improvement_count: int
    _optimizer: Any

    def _fit(self, X: Any, y: Any, sample_weight: Any = None, incremental: bool = False) -> Any:
        hidden = self.hidden_layer_sizes
        hidden = list(hidden) if hasattr(hidden, "__iter__") else [hidden]
        if np.any(np.array(hidden) <= 0):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {hidden}.")
        first_pass = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)

        X, y = self._validate_input(X, y, incremental, reset=first_pass)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        if y.ndim == 1:
            y = y.reshape((-1, 1))
        self.n_outputs_ = y.shape[1]
        units = [X.shape[1], *hidden, self.n_outputs_]
        self._random_state = check_random_state(self.random_state)
        if first_pass:
            self._initialize(y, units, X.dtype)

        if self.solver == "lbfgs":
            self._minimize(X, y, sample_weight, units)
        else:
            self._train(X, y, sample_weight, units, incremental)
        if not all(np.isfinite(array).all() for array in (*self.coefs_, *self.intercepts_)):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        return self

    def _minimize(self, X: Any, y: np.ndarray, sample_weight: np.ndarray | None, units: list[int]) -> None:
        """Run L-BFGS, which is SciPy's, over the kernel's loss and gradient."""
        # In float64 whatever X is, as scikit-learn's loss at SciPy's points is.
        network = new_network(units, self.activation, self.out_activation_, self.loss, np.float64)
        x = samples_for_kernel(X, np.float64)
        targets = _targets(y, np.float64)
        weights = _weights(sample_weight)
        n_threads = n_threads_for(X.shape[0], units)

        def loss_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
            network.load("weights", np.ascontiguousarray(point, dtype=np.float64))
            return network.loss_gradient(x, targets, weights, self.alpha, n_threads)

        iprint = 1 if self.verbose is True or self.verbose >= 1 else -1
        result = scipy.optimize.minimize(
            loss_gradient,
            flat([*self.coefs_, *self.intercepts_], np.float64),
            method="L-BFGS-B",
            jac=True,
            options={
                "maxfun": self.max_fun,
                "maxiter": self.max_iter,
                "gtol": self.tol,
                **_get_additional_lbfgs_options_dict("iprint", iprint),
            },
        )
        self.n_iter_ = _check_optimize_result("lbfgs", result, self.max_iter)
        self.loss_ = np.float64(result.fun)
        self.coefs_, self.intercepts_ = parts(result.x, units)
        self._note_places(units)

    def _note_places(self, units: list[int]) -> None:
        """Set where each layer's parameters stand in the vector that L-BFGS moves."""
        self._coef_indptr, self._intercept_indptr = [], []
        start = 0
        for shape in pairwise(units):
            self._coef_indptr.append((start, start + shape[0] * shape[1], shape))
            start += shape[0] * shape[1]
        for fan_out in units[1:]:
            self._intercept_indptr.append((start, start + fan_out))
            start += fan_out

    def _train(
        self, X: Any, y: np.ndarray, sample_weight: np.ndarray | None, units: list[int], incremental: bool
    ) -> None:
        """Run the epochs of a stochastic solver."""
        if not incremental or not hasattr(self, "_optimizer"):
            optimizer = self._new_optimizer()
        else:
            optimizer = copy.copy(self._optimizer)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")

        y_dtype = y.dtype
        X_val = y_val = weight_val = None
        if self.early_stopping:
            X, X_val, y, y_val, sample_weight, weight_val = self._held_out(X, y, sample_weight)
        n_samples = X.shape[0]
        batch = self._batch_rows(n_samples)

        dtype = compute_type(X, self.coefs_, self.intercepts_)
        # What scikit-learn's loss is a number of: targets, weights and a batch size that was given may widen float32.
        # Logarithms of classes are float64, always.
        y_dtype = np.dtype(np.float64) if y_dtype == np.bool_ else y_dtype
        wider = [y_dtype] if sample_weight is None else [y_dtype, sample_weight.dtype]
        wider += [] if self.batch_size == "auto" else [np.dtype(np.int64)]
        loss_type = np.result_type(dtype, *wider).type
        coef_types = [array.dtype for array in self.coefs_], [array.dtype for array in self.intercepts_]
        network = new_network(units, self.activation, self.out_activation_, self.loss, dtype)
        network.load("weights", flat([*self.coefs_, *self.intercepts_], dtype))
        state = _OptimizerInKernel(optimizer, network, units, dtype)
        x, targets, weights = samples_for_kernel(X, dtype), _targets(y, dtype), _weights(sample_weight)
        n_threads = n_threads_for(batch, units)

        # After early stopping scikit-learn's best weights are those that the next fit changes in place: unless it finds
        # better ones, the last weights count as the best.
        best_before = self._best_coefs if getattr(self, "_best_coefs", None) is self.coefs_ else None

        order = np.arange(n_samples)
        self.loss_curve_ = list(self.loss_curve_)
        if self.early_stopping:
            self.validation_scores_ = list(self.validation_scores_)
        try:
            self.n_iter_ = 0
            for _ in range(self.max_iter):
                if self.shuffle:
                    # The draws of sklearn.utils.shuffle.
                    places = np.arange(n_samples)
                    self._random_state.shuffle(places)
                    order = order[places]
                state.before_epoch()
                total = network.train_epoch(
                    x, targets, weights, order if self.shuffle else None, batch, self.alpha, n_threads
                )
                self.n_iter_ += 1
                self.loss_ = loss_type(total / n_samples)
                self.t_ += n_samples
                self.loss_curve_.append(self.loss_)
                if self.verbose:
                    print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")

                if self.early_stopping:  # the score is that of the estimator as it is now
                    self._take_parameters(network, units, coef_types)
                self._update_no_improvement_count(self.early_stopping, X_val, y_val, weight_val)
                optimizer.iteration_ends(self.t_)
                if self._no_improvement_count > self.n_iter_no_change:
                    if optimizer.trigger_stopping(self._stopping_message(), self.verbose):
                        break
                    self._no_improvement_count = 0
                if incremental:
                    break
                if self.n_iter_ == self.max_iter:
                    warnings.warn(
                        f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization "
                        "hasn't converged yet.",
                        ConvergenceWarning,
                        stacklevel=2,
                    )
        except KeyboardInterrupt:
            # The batches that were learnt count.
            warnings.warn("Training interrupted by user.", stacklevel=2)

        self._take_parameters(network, units, coef_types)
        state.finish()
        self._optimizer = optimizer
        if best_before is not None and self._best_coefs is best_before:
            self._best_coefs, self._best_intercepts = self.coefs_, self.intercepts_
        if self.early_stopping:
            self.coefs_ = self._best_coefs
            self.intercepts_ = self._best_intercepts

    def _new_optimizer(self) -> Any:
        params = [*self.coefs_, *self.intercepts_]
        if self.solver == "sgd":
            return SGDOptimizer(
                params,
                self.learning_rate_init,
                self.learning_rate,
                self.momentum,
                self.nesterovs_momentum,
                self.power_t,
            )
        return AdamOptimizer(params, self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon)

    def _held_out(self, X: Any, y: np.ndarray, sample_weight: np.ndarray | None) -> tuple[Any, ...]:
        """Return samples, targets and weights to train on, and those to validate on, as scikit-learn splits them."""
        stratify = y if is_classifier(self) and self.n_outputs_ == 1 else None
        arrays = (X, y) if sample_weight is None else (X, y, sample_weight)
        split = train_test_split(
            *arrays, random_state=self._random_state, test_size=self.validation_fraction, stratify=stratify
        )
        X, X_val, y, y_val, weight, weight_val = split if sample_weight is not None else (*split, None, None)
        if X_val.shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        if is_classifier(self):
            y_val = self._label_binarizer.inverse_transform(y_val)
        return X, X_val, y, y_val, weight, weight_val

    def _batch_rows(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(200, n_samples)
        if self.batch_size > n_samples:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=2
            )
        return int(np.clip(self.batch_size, 1, n_samples))

    def _take_parameters(self, network: Any, units: list[int], types: tuple[list[Any], list[Any]]) -> None:
        """Take the kernel's parameters, in the types that they had."""
        coefs, intercepts = parts(network.store("weights"), units)
        self.coefs_ = [coef.astype(dtype, copy=False) for coef, dtype in zip(coefs, types[0], strict=True)]
        self.intercepts_ = [start.astype(dtype, copy=False) for start, dtype in zip(intercepts, types[1], strict=True)]

    def _stopping_message(self) -> str:
        what = "Validation score" if self.early_stopping else "Training loss"
        return f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs."

    def _forward_pass_fast(self, X: Any, check_input: bool = True) -> np.ndarray:
        if check_input:
            X = validation.validate(
                self, X, reset=False, sparse=("csr", "csc"), dtype="numeric", order=None, large_sparse=True
            )
        return outputs(X, self.coefs_, self.intercepts_, self.activation, self.out_activation_)


class _OptimizerInKernel:
    """scikit-learn's optimizer, whose state of each parameter is in the kernel while it trains."""

    def __init__(self, optimizer: Any, network: Any, units: list[int], dtype: type[np.floating[Any]]) -> None:
        self.optimizer = optimizer
        self.network = network
        self.units = units
        self.is_adam = isinstance(optimizer, AdamOptimizer)
        if self.is_adam:
            if optimizer.t:  # before the first step moments are zeros
                network.load("first", flat(optimizer.ms, dtype))
                network.load("second", flat(optimizer.vs, dtype))
            self._steps = optimizer.t
        else:
            self._steps = 0
            network.load("first", flat(optimizer.velocities, dtype))

    def before_epoch(self) -> None:
        """Tell the kernel the rate, which may have changed."""
        o = self.optimizer
        if self.is_adam:
            steps = self.network.steps or self._steps
            self.network.set_optimizer("adam", o.learning_rate_init, o.beta_1, o.beta_2, o.epsilon, steps)
        else:
            rule = "nesterov" if o.nesterov else "sgd"
            self.network.set_optimizer(rule, o.learning_rate, o.momentum, 0.0, 0.0, 0)

    def finish(self) -> None:
        """Put the state back into scikit-learn's optimizer."""
        o = self.optimizer
        first = [array for group in parts(self.network.store("first"), self.units) for array in group]
        if not self.is_adam:
            o.velocities = first
            return
        o.t = self.network.steps or self._steps
        o.ms = first
        o.vs = [array for group in parts(self.network.store("second"), self.units) for array in group]
        if o.t:
            o.learning_rate = o.learning_rate_init * np.sqrt(1 - o.beta_2**o.t) / (1 - o.beta_1**o.t)


def _targets(y: np.ndarray, dtype: type[np.floating[Any]]) -> np.ndarray:
    """Return targets as the kernel takes them: flags of classes, or numbers."""
    if y.dtype == np.bool_:
        return np.ascontiguousarray(y).view(np.uint8)
    return np.require(y, dtype=dtype, requirements=["C", "A"])


def _weights(sample_weight: np.ndarray | None) -> np.ndarray | None:
    return None if sample_weight is None else np.require(sample_weight, dtype=np.float64, requirements=["C", "A"])
