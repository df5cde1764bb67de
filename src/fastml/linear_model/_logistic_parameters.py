"""Parameters of logistic regression: which penalty they mean, and what scikit-learn warns of."""

import warnings
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from sklearn.linear_model._logistic import _check_solver


@dataclass(frozen=True, slots=True)
class Options:
    """What one solution needs beside the samples and the estimator's own parameters.

    Parameters
    ----------
    C : float
        The inverse strength of the penalty.
    penalty : {"l1", "l2", "elasticnet"} or None
    l1_ratio : float or None
    sample_weight : array-like of shape (n_samples,) or None
        As they were given.
    class_weight : dict, "balanced" or None
    start : ndarray of shape (n_outputs, n_coefficients) or (n_coefficients,), or None
        Coefficients with their intercepts; None for zeros.
    verbose : int
    """

    C: float
    penalty: str | None
    l1_ratio: float | None
    sample_weight: Any
    class_weight: Any
    start: np.ndarray | None
    verbose: int


def checked_penalty(estimator: Any) -> tuple[float, Any]:
    """Return the ``C`` to solve for and the penalty, once it is sure that the solver takes it.

    Parameters
    ----------
    estimator : LogisticRegression
        Its parameters are checked.

    Returns
    -------
    C : float
        The inverse strength of the penalty; infinite without one.
    penalty : {"l1", "l2", "elasticnet"} or None
        The penalty as scikit-learn's solvers take it: None for an infinite ``C``, but "l2" where the user asked for
        none by the deprecated parameter.

    Raises
    ------
    ValueError
        scikit-learn's, for penalties that the solver does not take.

    Warns
    -----
    FutureWarning, UserWarning
        scikit-learn's, for parameters that are deprecated, ignored or at odds with each other.
    """
    l1_ratio = estimator.l1_ratio
    if estimator.penalty == "deprecated":
        if l1_ratio is None:
            warnings.warn(
                "'l1_ratio=None' was deprecated in version 1.8 and will trigger an error in 1.10. Use 0<=l1_ratio<=1 "
                "instead.",
                FutureWarning,
                stacklevel=2,
            )
        if np.inf == estimator.C:
            penalty = None
        elif l1_ratio is None or l1_ratio == 0:
            penalty = "l2"
        else:
            penalty = "l1" if l1_ratio == 1 else "elasticnet"
    else:
        penalty = estimator.penalty
        warnings.warn(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this "
            "warning, leave 'penalty' "
            "set to its default value and use 'l1_ratio' or 'C' instead. Use l1_ratio=0 instead of penalty='l2', "
            "l1_ratio=1 instead of penalty='l1', l1_ratio set to a float between 0 and 1 instead of "
            "penalty='elasticnet', and C=np.inf instead of penalty=None.",
            FutureWarning,
            stacklevel=2,
        )

    _check_solver(estimator.solver, penalty, estimator.dual)

    if penalty != "elasticnet" and l1_ratio is not None and 0 < l1_ratio < 1:
        warnings.warn(
            f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})", stacklevel=2
        )
    if (estimator.penalty == "l2" and l1_ratio != 0) or (estimator.penalty == "l1" and l1_ratio != 1):
        warnings.warn(
            f"Inconsistent values: penalty={estimator.penalty} with l1_ratio={l1_ratio}. penalty is deprecated. Please "
            "use l1_ratio only.",
            stacklevel=2,
        )
    if penalty == "elasticnet" and l1_ratio is None:
        raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
    if estimator.penalty is None and estimator.C != 1.0:
        warnings.warn("Setting penalty=None will ignore the C and l1_ratio parameters", stacklevel=2)
    if estimator.n_jobs is not None:
        warnings.warn(
            "'n_jobs' has no effect since 1.8 and will be removed in 1.10. You provided "
            f"'n_jobs={estimator.n_jobs}', please leave it unspecified.",
            FutureWarning,
            stacklevel=2,
        )
    return (np.inf, "l2") if estimator.penalty is None else (estimator.C, penalty)


def checked_grid(estimator: Any) -> tuple[Any, Any, Any, bool]:
    """Return what a search for the penalty runs over, once it is sure that the solver takes it.

    Parameters
    ----------
    estimator : LogisticRegressionCV
        Its parameters are checked.

    Returns
    -------
    l1_ratios : array-like or None
        As they were given; None where they were not.
    penalty : {"l1", "l2", "elasticnet"} or None
        The penalty.
    scoring : str, callable or None
        The scoring method.
    use_legacy_attributes : bool
        Which shapes the fitted attributes get.

    Raises
    ------
    ValueError
        scikit-learn's, for penalties that the solver does not take.

    Warns
    -----
    FutureWarning, UserWarning
        scikit-learn's, for parameters that are deprecated or ignored, or whose default will change.
    """
    l1_ratios = estimator.l1_ratios
    if isinstance(l1_ratios, str):
        l1_ratios = None
        warnings.warn(
            "The default value for l1_ratios will change from None to (0.0,) in version 1.10. From "
            "version 1.10 onwards, "
            "only array-like with values in [0, 1] will be allowed, None will be forbidden. To avoid this warning, "
            "explicitly set a value, e.g. l1_ratios=(0,).",
            FutureWarning,
            stacklevel=2,
        )
    if estimator.penalty == "deprecated":
        if estimator.l1_ratios is None:
            warnings.warn(
                "'l1_ratios=None' was deprecated in version 1.8 and will trigger an error in 1.10. Use an array-like "
                "with valuesin [0, 1] instead.",
                FutureWarning,
                stacklevel=2,
            )
        if l1_ratios is None or np.all(np.asarray(l1_ratios) == 0):
            penalty = "l2"
        else:
            penalty = "l1" if np.all(np.asarray(l1_ratios) == 1) else "elasticnet"
    else:
        penalty = estimator.penalty
        warnings.warn(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this "
            "warning, leave 'penalty' "
            "set to its default value and use 'l1_ratios' and 'Cs' instead. Use l1_ratios=(0,) instead "
            "of penalty='l2', "
            "l1_ratios=(1,) instead of penalty='l1', l1_ratios set to floats between 0 and 1 instead of "
            "penalty='elasticnet', and Cs=(np.inf,) instead of penalty=None.",
            FutureWarning,
            stacklevel=2,
        )

    scoring = estimator.scoring
    if isinstance(scoring, str) and scoring == "warn":
        scoring = None
        warnings.warn(
            "The default value of the parameter 'scoring' will change from None, i.e. accuracy, to 'neg_log_loss' in "
            "version 1.11. To silence this warning, explicitly set the scoring parameter: scoring='neg_log_loss' for "
            "the new, scoring='accuracy' or scoring=None for the old default.",
            FutureWarning,
            stacklevel=2,
        )
    use_legacy_attributes = estimator.use_legacy_attributes
    if use_legacy_attributes == "warn":
        use_legacy_attributes = True
        name = type(estimator).__name__
        warnings.warn(
            f"The fitted attributes of {name} will be simplified in scikit-learn 1.10 to remove redundancy. Set"
            "`use_legacy_attributes=False` to enable the new behavior now, or set it to `True` to silence this warning "
            "during the transition period while keeping the deprecated behavior for the time being. The default value "
            "of use_legacy_attributes will change from True to False in scikit-learn 1.10. See the docstring of "
            f"{name} for more details.",
            FutureWarning,
            stacklevel=2,
        )

    _check_solver(estimator.solver, penalty, estimator.dual)
    if penalty == "elasticnet":
        if not _are_ratios(l1_ratios):
            raise ValueError(
                f"l1_ratios must be an array-like of numbers between 0 and 1; got (l1_ratios={l1_ratios!r})"
            )
    elif l1_ratios is not None and estimator.penalty != "deprecated":
        warnings.warn(
            f"l1_ratios parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})", stacklevel=2
        )
    return l1_ratios, penalty, scoring, bool(use_legacy_attributes)


def _are_ratios(l1_ratios: Any) -> bool:
    if l1_ratios is None or len(l1_ratios) == 0 or not all(isinstance(ratio, Number) for ratio in l1_ratios):
        return False
    return not any(ratio < 0 or ratio > 1 for ratio in l1_ratios)
