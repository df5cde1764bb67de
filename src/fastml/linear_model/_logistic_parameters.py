"""Parameters of logistic regression: which penalty they mean, and what scikit-learn warns of."""

import warnings
from typing import Any

import numpy as np
from sklearn.linear_model._logistic import _check_solver


def checked_penalty(estimator: Any) -> float:
    """Return the ``C`` to solve for, once it is sure that the solver takes the penalty.

    Parameters
    ----------
    estimator : LogisticRegression
        With a solver that knows the squared norm as its only penalty.

    Returns
    -------
    C : float
        The inverse strength of the penalty; infinite without one.

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
        if estimator.C == np.inf:
            penalty = None
        elif l1_ratio is None or l1_ratio == 0:
            penalty = "l2"
        else:
            penalty = "l1" if l1_ratio == 1 else "elasticnet"
    else:
        penalty = estimator.penalty
        warnings.warn(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this warning, leave 'penalty' "
            "set to its default value and use 'l1_ratio' or 'C' instead. Use l1_ratio=0 instead of penalty='l2', "
            "l1_ratio=1 instead of penalty='l1', l1_ratio set to a float between 0 and 1 instead of "
            "penalty='elasticnet', and C=np.inf instead of penalty=None.",
            FutureWarning,
            stacklevel=2,
        )

    _check_solver(estimator.solver, penalty, estimator.dual)

    if l1_ratio is not None and 0 < l1_ratio < 1:
        warnings.warn(
            f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})", stacklevel=2
        )
    if estimator.penalty == "l2" and l1_ratio != 0:
        warnings.warn(
            f"Inconsistent values: penalty={estimator.penalty} with l1_ratio={l1_ratio}. penalty is deprecated. Please "
            "use l1_ratio only.",
            stacklevel=2,
        )
    if estimator.penalty is None and estimator.C != 1.0:
        warnings.warn("Setting penalty=None will ignore the C and l1_ratio parameters", stacklevel=2)
    if estimator.n_jobs is not None:
        warnings.warn(
            "'n_jobs' has no effect since 1.8 and will be removed in 1.10. You provided "
            f"'n_jobs={estimator.n_jobs}', please leave it unspecified.",
            FutureWarning,
            stacklevel=2,
        )
    return np.inf if estimator.penalty is None else estimator.C
