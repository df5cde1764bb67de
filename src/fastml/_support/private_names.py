"""The private names of scikit-learn that fastml uses, in one place.

scikit-learn may change or drop them in any release, and not only with a new minor version. A test fails when one of
them is gone, when fastml uses one that is not listed, and when one is listed that fastml no longer uses.
"""

CHECKED_AGAINST = ("1.9.1",)
"""The versions of scikit-learn on which the names were checked."""

PRIVATE_NAMES = {
    "sklearn.base._fit_context": "checks parameters as every fit of scikit-learn does",
    "sklearn.cluster._kmeans.KMeans._check_params_vs_input": "overridden by MiniBatchKMeans, see there",
    "sklearn.cluster._kmeans.MiniBatchKMeans._check_params_vs_input": "sets sizes and numbers of runs that depend on X",
    "sklearn.cluster._kmeans.MiniBatchKMeans._mini_batch_convergence": "the stopping rule",
    "sklearn.cluster._kmeans.MiniBatchKMeans._random_reassign": "the rule for when to reassign clusters",
    "sklearn.cluster._kmeans._BaseKMeans": "the parent that both k-means estimators share",
    "sklearn.cluster._kmeans._BaseKMeans._transform": "overridden with our distances",
    "sklearn.cluster._kmeans._BaseKMeans._validate_center_shape": "the messages for invalid initial centres",
    "sklearn.utils._param_validation.Interval": "says which values a function's parameter may have",
    "sklearn.utils._param_validation.validate_params": "checks the parameters of a function",
    "sklearn.utils.validation._check_sample_weight": "the messages for invalid weights; there is no public equivalent",
    "sklearn.utils.validation._is_arraylike_not_scalar": "tells initial centres from the name of a method",
}
"""Dotted path of each name, and what it is needed for."""
