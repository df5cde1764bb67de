"""Samples whose distances are exact in every formula: scikit-learn's neighbours are ours, and ties are known."""

import numpy as np

METRICS = (
    {"metric": "minkowski"},
    {"metric": "euclidean"},
    {"metric": "l2"},
    {"metric": "manhattan"},
    {"metric": "cityblock"},
    {"metric": "l1"},
    {"metric": "chebyshev"},
    {"metric": "sqeuclidean", "algorithm": "brute"},
    {"metric": "cosine"},
    {"metric": "minkowski", "p": 1},
    {"metric": "minkowski", "p": 3},
    {"metric": "minkowski", "p": 1.5},
    {"metric": "minkowski", "p": np.inf},
    {"metric": "minkowski", "p": 0.5, "algorithm": "brute"},
    {"metric": "minkowski", "metric_params": {"w": [1.0, 2.0, 0.5]}},
    {"metric": "seuclidean", "metric_params": {"V": [1.0, 4.0, 0.25]}},
    {"metric": "mahalanobis", "metric_params": {"VI": np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 1.0]])}},
    {"metric": "canberra"},
    {"metric": "braycurtis"},
    {"metric": "nan_euclidean"},
)


def samples(n, d=3, seed=0, dtype=np.float64):
    """Return samples all of whose distances differ, and whose products are exact in double."""
    return (np.round(np.random.RandomState(seed).standard_normal((n, d)) * 2**14) / 2**14).astype(dtype)


def lattice(n, d=3, seed=0, dtype=np.float64):
    """Return samples with small whole coordinates: many are equal, many as far apart."""
    return np.random.RandomState(seed).randint(0, 4, (n, d)).astype(dtype)


def algorithms(parameters):
    """Return those of an algorithm's names that scikit-learn takes for these parameters."""
    if "algorithm" in parameters:
        return (parameters["algorithm"],)
    if parameters["metric"] in ("cosine", "nan_euclidean"):
        return ("auto", "brute")
    if "metric_params" in parameters or parameters["metric"] in ("canberra", "braycurtis"):
        return ("auto", "ball_tree", "brute")
    return ("auto", "kd_tree", "ball_tree", "brute")


CASES = tuple({**parameters, "algorithm": algorithm} for parameters in METRICS for algorithm in algorithms(parameters))


def case_name(case):
    """Return a test's name for a case."""
    return "-".join(str(value).replace("\n", "") for value in case.values())
