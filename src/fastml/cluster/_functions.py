"""k_means and kmeans_plusplus."""

from numbers import Integral

import numpy as np
import sklearn.cluster
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from fastml._support import threads, validation
from fastml._support.dispatch import accelerated
from fastml.cluster._kmeans import KMeans
from fastml.cluster._seeding import plus_plus


@accelerated(fallback=sklearn.cluster.k_means)
@validate_params(
    {"X": ["array-like", "sparse matrix"], "sample_weight": ["array-like", None], "return_n_iter": [bool]},
    prefer_skip_nested_validation=False,
)
def k_means(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=300,
    verbose=False,
    tol=1e-4,
    random_state=None,
    copy_x=True,
    algorithm="lloyd",
    return_n_iter=False,
):
    model = KMeans(
        n_clusters=n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        verbose=verbose,
        tol=tol,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
    ).fit(X, sample_weight=sample_weight)
    results = model.cluster_centers_, model.labels_, model.inertia_
    return (*results, model.n_iter_) if return_n_iter else results


@accelerated(fallback=sklearn.cluster.kmeans_plusplus)
@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "sample_weight": ["array-like", None],
        "x_squared_norms": ["array-like", None],
        "random_state": ["random_state"],
        "n_local_trials": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def kmeans_plusplus(X, n_clusters, *, sample_weight=None, x_squared_norms=None, random_state=None, n_local_trials=None):
    given_dtype = getattr(X, "dtype", None)
    X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], order="C")
    weights = validation.sample_weight(sample_weight, X)
    if X.shape[0] < n_clusters:
        raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={n_clusters}.")
    if x_squared_norms is not None:
        # Only its shape matters: distances are computed from X itself.
        x_squared_norms = check_array(x_squared_norms, dtype=X.dtype, ensure_2d=False)
        if x_squared_norms.shape[0] != X.shape[0]:
            raise ValueError(
                f"The length of x_squared_norms {x_squared_norms.shape[0]} should be equal to the length of "
                f"n_samples {X.shape[0]}."
            )
    n_threads = threads.n_threads(work=float(X.shape[0]) * X.shape[1])
    centers, indices = plus_plus(
        X, n_clusters, weights, check_random_state(random_state), n_threads, n_trials=n_local_trials
    )
    # Centres are rows of X as it was given: integers stay integers.
    return centers if given_dtype is None else centers.astype(given_dtype, copy=False), indices
