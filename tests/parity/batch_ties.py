"""Whether two runs of MiniBatchKMeans parted at a tie. See ties.py for the rest of the idea."""

import sys
from unittest import mock

import numpy as np
import sklearn.cluster
from ties import Unexplained, equally_far, explain_seeds

import fastml.cluster


def explain_batches(X, weights, parameters):
    """Return why fastml and scikit-learn part, from the labels they give to each batch, or raise Unexplained."""
    ours = _steps(fastml.cluster.MiniBatchKMeans, X, weights, parameters)
    stock = _steps(sklearn.cluster.MiniBatchKMeans, X, weights, parameters)
    for step, ((batch, our_centers, our_labels), (same_batch, centers, labels)) in enumerate(zip(ours, stock)):
        if (batch != same_batch).sum():
            raise Unexplained(f"step {step}: the batches differ")
        moved = np.sqrt(((our_centers - centers).astype(np.longdouble) ** 2).sum(axis=1).max())
        reach = np.sqrt((np.vstack([our_centers, centers]).astype(np.longdouble) ** 2).sum(axis=1).max())
        if moved > 100 * (step + 1) * np.finfo(X.dtype).eps * reach:
            if step == 0 and parameters["init"] == "k-means++":
                return _explain_seeds(X, weights, parameters)
            raise Unexplained(f"step {step}: the same labels all along, but centres {moved} apart")
        parted = np.flatnonzero(our_labels != labels)
        if parted.size:
            rows = batch[parted]
            rows = rows.toarray() if hasattr(rows, "toarray") else rows
            return f"step {step}: {equally_far(rows, centers, our_labels[parted], labels[parted], moved, X.dtype)}"
    raise Unexplained(f"{len(ours)} and {len(stock)} steps, all with the same labels")


def _explain_seeds(X, weights, parameters):
    """Return why the two start from other rows, or raise Unexplained."""
    init = fastml.cluster.MiniBatchKMeans(**parameters).fit(X, sample_weight=weights)
    random_state = np.random.RandomState(parameters["random_state"])
    random_state.randint(0, X.shape[0], init._init_size)  # the samples that initial centres are tried on
    weights = np.ones(X.shape[0]) if weights is None else weights
    for _ in range(init._n_init):
        rows = np.arange(X.shape[0])
        if init._init_size < X.shape[0]:
            rows = random_state.randint(0, X.shape[0], init._init_size)
        before = np.random.RandomState()
        before.set_state(random_state.get_state())
        again = np.random.RandomState()
        again.set_state(random_state.get_state())
        arguments = X[rows], init.n_clusters
        _, stock = sklearn.cluster.kmeans_plusplus(*arguments, sample_weight=weights[rows], random_state=random_state)
        _, ours = fastml.cluster.kmeans_plusplus(*arguments, sample_weight=weights[rows], random_state=again)
        if not np.array_equal(ours, stock):
            return explain_seeds(X[rows], weights[rows], before, ours, stock)
    raise Unexplained("the initial centres differ, though their seeds do not")


def _steps(cls, X, weights, parameters):
    """Return (rows, centres, labels) of each batch, and last those of all rows where labels are computed."""
    name = "fastml.cluster._minibatch_kmeans._assign"
    if cls is sklearn.cluster.MiniBatchKMeans:
        name = "sklearn.cluster._kmeans._labels_inertia"
    module, _, function = name.rpartition(".")
    assign = getattr(sys.modules[module], function)
    steps = []

    def traced(rows, weights, centers, **options):
        labels, inertia = assign(rows, weights, centers, **options)
        steps.append((rows.copy(), centers.copy(), labels))
        return labels, inertia

    with mock.patch(name, traced):
        model = cls(**parameters).fit(X, sample_weight=weights)
    # Ours assigns the samples that initial centres are tried on first, and all samples last. scikit-learn does both by
    # another name.
    steps = steps[model._n_init :] if cls is fastml.cluster.MiniBatchKMeans else steps
    steps = steps[: model.n_steps_]
    if hasattr(model, "labels_"):
        steps.append((X, model.cluster_centers_, model.labels_))
    return steps
