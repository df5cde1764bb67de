"""Whether two runs of k-means parted at a tie: a choice between equals, left to the rounding of sums.

Two correct implementations may give other answers only where arithmetic in extended precision finds no difference
beyond the rounding errors of the data's own type. These functions find the first place where two runs part and say what
is at stake there; they raise Unexplained where rounding does not account for the difference.
"""

import numpy as np
import scipy.sparse as sp
import sklearn.cluster

import fastml.cluster

BOTH = fastml.cluster.KMeans, sklearn.cluster.KMeans


class Unexplained(AssertionError):
    """Two runs part where rounding does not account for it."""


def explain_difference(case):
    """Return why fastml and scikit-learn find other clusters for a case, or raise Unexplained."""
    X, weights = case.samples(), case.sample_weight()
    parameters = case.parameters()
    if parameters["algorithm"] == "elkan":
        # fastml has one algorithm for both names. scikit-learn's bounds add up rounding errors of their own.
        parameters["algorithm"] = "lloyd"
        if same_clusters(*(cls(**parameters).fit(X, sample_weight=weights) for cls in BOTH)):
            return "scikit-learn's Elkan parts from its Lloyd, with which fastml agrees"
    starts, reason = _starts(X, weights, parameters)
    for start in starts:
        reason = reason or _explain_run(X, weights, start, parameters)
    if reason is not None:
        return reason
    # The same runs: what is left is the choice of the best of them.
    inertias = sorted(_fit(sklearn.cluster.KMeans, X, weights, start, parameters).inertia_ for start in starts)
    if len(inertias) == 1 or inertias[1] - inertias[0] > X.shape[0] * np.finfo(X.dtype).eps * inertias[1]:
        raise Unexplained(f"all runs agree, with inertias {inertias}")
    return f"two runs are equally good: inertias {inertias[0]} and {inertias[1]}"


def same_clusters(ours, stock):
    """Tell whether two fitted models found the same labels in as many iterations."""
    return np.array_equal(ours.labels_, stock.labels_) and ours.n_iter_ == stock.n_iter_


def explain_seeds(X, weights, seed, ours, stock):
    """Return why k-means++ with random_state `seed` chose the rows `ours` instead of `stock`, or raise Unexplained.

    Of two outliers that are each other's neighbours, for one, either reduces the distances of all rows alike.
    """
    rows = _wide(X)
    n_samples, n_clusters = len(rows), len(stock)
    weights = np.ones(n_samples, dtype=rows.dtype) if weights is None else weights.astype(rows.dtype)
    step = np.flatnonzero(np.not_equal(ours, stock))[0]
    if step == 0:
        raise Unexplained(f"the first row is drawn with given probabilities: {ours[0]} and {stock[0]}")
    random_state = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    random_state.uniform()  # the draw of the first row
    n_trials = 2 + int(np.log(n_clusters))
    for _ in range(step):
        draws = random_state.uniform(size=n_trials)

    closest = np.min([((rows - rows[row]) ** 2).sum(axis=1) for row in stock[:step]], axis=0)
    cumulative = np.cumsum(weights * closest)
    # Sums of n terms, each of which is off by the rounding of |x|^2 - 2xc + |c|^2.
    rounding = n_samples * np.finfo(X.dtype).eps * float(cumulative[-1] + weights @ (rows**2).sum(axis=1) / n_samples)
    candidates = set()
    for draw in draws * cumulative[-1]:
        first, last = np.searchsorted(cumulative, [draw - rounding, draw + rounding])
        candidates.update(range(first, min(last, n_samples - 1) + 1))
    potentials = {row: weights @ np.minimum(closest, ((rows - rows[row]) ** 2).sum(axis=1)) for row in candidates}
    a, b = int(ours[step]), int(stock[step])
    if a in potentials and b in potentials and abs(potentials[a] - potentials[b]) <= rounding:
        return f"k-means++ step {step}: rows {a} and {b} reduce the potential alike, to {float(potentials[a])}"
    raise Unexplained(f"k-means++ step {step}: rows {a} and {b} of {sorted(candidates)}")


def _wide(X):
    """Return dense samples in extended precision."""
    return (X.toarray() if sp.issparse(X) else np.asarray(X)).astype(np.longdouble)


def _mean(X):
    """Return what is subtracted from the samples before all else."""
    return 0 if sp.issparse(X) else X.mean(axis=0)


def _starts(X, weights, parameters):
    """Return the initial centres of each run; a reason in place of them where the seeds part at a tie."""
    if not isinstance(parameters["init"], str):
        return [parameters["init"] - _mean(X)], None
    X = X if sp.issparse(X) else X - _mean(X)
    random_state = np.random.RandomState(parameters["random_state"])
    weights = np.ones(X.shape[0], dtype=X.dtype) if weights is None else weights.astype(X.dtype)
    starts = []
    for _ in range(parameters["n_init"]):
        if parameters["init"] == "random":
            p = weights / weights.sum()
            start = X[random_state.choice(X.shape[0], size=parameters["n_clusters"], replace=False, p=p)]
            starts.append(start.toarray() if sp.issparse(start) else start)
            continue
        before = random_state.get_state()
        seeds = {"n_clusters": parameters["n_clusters"], "sample_weight": weights}
        start, stock = sklearn.cluster.kmeans_plusplus(X, **seeds, random_state=random_state)
        again = np.random.RandomState()
        again.set_state(before)
        _, ours = fastml.cluster.kmeans_plusplus(X, **seeds, random_state=again)
        if not np.array_equal(ours, stock):
            again.set_state(before)
            return [], explain_seeds(X, weights, again, ours, stock)
        starts.append(start)
    return starts, None


def _fit(cls, X, weights, start, parameters, max_iter=None):
    """Fit from given centres, less the mean: those that a function returns are not centred again."""
    changes = {"init": lambda X, n_clusters, random_state: start.copy(), "n_init": 1}
    if max_iter is not None:
        changes |= {"max_iter": max_iter, "tol": 0}
    return cls(**{**parameters, **changes}).fit(X, sample_weight=weights)


def _after(cls, steps, X, weights, start, parameters):
    """Return the centres after a number of steps, and the labels for them."""
    if steps > 0:
        model = _fit(cls, X, weights, start, parameters, steps)
        return model.cluster_centers_ - _mean(X), model.labels_
    centred = X if sp.issparse(X) else X - _mean(X)
    model = cls(len(start), init=start, n_init=1, max_iter=1).fit(centred)
    model.cluster_centers_ = start
    return start, model.predict(centred)


def _explain_run(X, weights, start, parameters):
    """Return why two runs from the same centres part; None where they do not."""
    n_steps = [_fit(cls, X, weights, start, parameters).n_iter_ for cls in BOTH]
    for step in range(max(n_steps) + 1):
        (ours, our_labels), (stock, labels) = (_after(cls, step, X, weights, start, parameters) for cls in BOTH)
        parted = np.flatnonzero(our_labels != labels)
        if parted.size:
            return _explain_labels(X, parted, ours, stock, our_labels, labels, step)
    if n_steps[0] == n_steps[1]:
        return None
    # The same labels all the way: the tolerance was met a step sooner or later.
    step = min(n_steps)
    before, after = (
        _wide(_after(sklearn.cluster.KMeans, s, X, weights, start, parameters)[0]) for s in (step - 1, step)
    )
    shift = float(((after - before) ** 2).sum())
    rows = _wide(X)
    tolerance = float(rows.var(axis=0).mean() * parameters["tol"])
    if abs(shift - tolerance) <= X.shape[0] * np.finfo(X.dtype).eps * max(shift, tolerance):
        return f"step {step}: the centres move by {shift}, the tolerance is {tolerance}"
    raise Unexplained(f"step {step}: the centres move by {shift}, the tolerance is {tolerance}")


def _explain_labels(X, parted, ours, stock, our_labels, labels, step):
    """Return why rows have other labels where all had the same a step before."""
    mean = _wide(np.atleast_2d(_mean(X)))
    rows = _wide(X if sp.issparse(X) else X - _mean(X))
    moved = np.sqrt(((_wide(ours) - _wide(stock)) ** 2).sum(axis=1).max())
    # Means of the same rows: recursive summation of up to n terms.
    reach = np.sqrt((rows**2).sum(axis=1).max()) + np.sqrt((mean**2).sum())
    if moved > X.shape[0] * np.finfo(X.dtype).eps * reach:
        raise Unexplained(f"step {step}: means of the same rows are {moved} apart")
    # The centres came with the mean added to them.
    moved += np.finfo(X.dtype).eps * np.sqrt((mean**2).sum())
    return f"step {step}: {equally_far(rows[parted], stock, our_labels[parted], labels[parted], moved, X.dtype)}"


def equally_far(rows, centers, labels, others, moved, dtype):
    """Return by how much the distances from rows to two centres each differ, or raise Unexplained.

    Parameters
    ----------
    rows, centers : ndarray
        The rows in doubt, and the centres of one of the two runs.
    labels, others : ndarray of shape (n_rows,)
        The labels of both.
    moved : float
        How far the centres of the other run are from these.
    dtype : dtype
        The type that distances were computed in.
    """
    rows, centers = _wide(rows), _wide(centers)
    scale = np.sqrt((rows**2).sum(axis=1)) + np.sqrt((centers**2).sum(axis=1).max())
    distances = ((rows[:, None] - centers) ** 2).sum(axis=2)
    each = np.arange(len(rows))
    margins = np.abs(distances[each, labels] - distances[each, others])
    # |x|^2 - 2xc + |c|^2 has d + 2 terms.
    rounding = 2 * (rows.shape[1] + 4) * np.finfo(dtype).eps * scale**2 + 4 * moved * scale
    widest = float((margins / scale**2).max())
    if (margins > rounding).any():
        raise Unexplained(f"{len(rows)} rows differ in their distances by {widest} of |x|^2")
    return f"{len(rows)} rows are equally far from two centres, to {widest:.1e} of |x|^2"
