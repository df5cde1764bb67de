"""MiniBatchKMeans against scikit-learn's: the same batches, reassignments and stopping step, hence the same centres."""

import numpy as np
import sklearn.cluster
from clustering_cases import random_case

from fastml.cluster import MiniBatchKMeans

BOTH = MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans


def random_parameters(number):
    """Return parameters of MiniBatchKMeans that go with the case of a number."""
    rng = np.random.RandomState(number + 4_000_000)

    def one_of(*choices):
        return choices[rng.randint(len(choices))]

    return {
        "batch_size": int(10 ** rng.uniform(0.7, 3.2)),
        "max_iter": one_of(100, 10, 1),
        "tol": one_of(0.0, 0.0, 1e-3, 0.1),
        "max_no_improvement": one_of(10, 10, 3, None),
        "reassignment_ratio": one_of(0.01, 0.01, 0.0, 0.1, 0.5),
        "init_size": one_of(None, None, 100),
        "compute_labels": one_of(True, True, False),
    }


def fit_both(number):
    case, parameters = random_case(number), random_parameters(number)
    X, weights = case.samples(), case.sample_weight()
    from_case = {name: case.parameters()[name] for name in ("n_clusters", "init", "n_init", "random_state")}
    if parameters["max_no_improvement"] is None:
        parameters["max_iter"] = min(parameters["max_iter"], 10)
    if not parameters["compute_labels"]:
        parameters["max_iter"] = max(parameters["max_iter"], 2)  # of a single step there is no inertia to tell
    return case, [cls(**from_case, **parameters).fit(X, sample_weight=weights) for cls in BOTH]


def apart(case, ours, stock):
    """Return how far the centres of two models are apart, in units of rounding of the largest value, a step."""
    X = case.samples()
    difference = np.abs(ours.cluster_centers_ - stock.cluster_centers_).max()
    return difference / (np.finfo(case.dtype).eps * abs(X).max() * (1 + stock.n_steps_))


if __name__ == "__main__":
    pass
