"""Random problems for trees, each made from its number alone."""

from dataclasses import dataclass, field

import numpy as np

KINDS = (
    "continuous",
    "float32",
    "low cardinality",
    "ties",
    "constants",
    "near equal",
    "missing",
    "mixed",
    "staircase",
    "far from zero",
)


@dataclass(frozen=True)
class Case:
    """A problem for a tree.

    Parameters
    ----------
    number : int
        What the rest, the samples included, was drawn from.
    kind : str
        How the samples lie, one of ``KINDS``.
    n_samples, n_features, n_outputs, n_classes : int
        Sizes; ``n_classes`` is 0 for regression.
    weights : str
        "none", "integers" (with zeros), "uniform".
    parameters : dict
        Of the tree.
    """

    number: int
    kind: str
    n_samples: int
    n_features: int
    n_outputs: int
    n_classes: int
    weights: str
    parameters: dict = field(default_factory=dict)

    def __str__(self):
        shape = f"{self.n_samples} x {self.n_features} -> {self.n_outputs} of {self.n_classes or 'numbers'}"
        return f"{self.number}: {self.kind}, {shape}, weights: {self.weights}, {self.parameters}"

    def samples(self):
        """Return X."""
        rng = np.random.RandomState(self.number)
        size = self.n_samples, self.n_features
        X = rng.standard_normal(size)
        if self.kind == "float32":
            X = X.astype(np.float32)
        elif self.kind == "low cardinality":
            X = rng.randint(0, 4, size=size).astype(float)
        elif self.kind == "ties":
            X = np.round(X, 1)
        elif self.kind == "constants":
            X[:, rng.uniform(size=self.n_features) < 0.6] = 1.5
        elif self.kind == "near equal":
            # Steps about as large as the difference that a tree takes for none.
            X = rng.randint(0, 5, size=size) + rng.randint(0, 4, size=size) * 6e-8
        elif self.kind == "missing":
            X[rng.uniform(size=size) < rng.choice([0.01, 0.2, 0.6])] = np.nan
            X[:, rng.uniform(size=self.n_features) < 0.1] = np.nan
        elif self.kind == "mixed":
            X[:, ::3] = np.round(X[:, ::3])
            X[:, 1::3] = rng.randint(0, 2, size=X[:, 1::3].shape)
        elif self.kind == "staircase":
            X = np.sort(X, axis=0)
        elif self.kind == "far from zero":
            X = 1e4 + X
        return X

    def targets(self):
        """Return y: what X says, with noise."""
        rng = np.random.RandomState(self.number + 1_000_000)
        signal = self._signal() @ rng.standard_normal((self.n_features, self.n_outputs))
        noise = rng.standard_normal(signal.shape) * signal.std(axis=0) * rng.choice([0, 0.3, 3])
        y = signal + noise
        if self.n_classes:
            ranks = y.argsort(axis=0).argsort(axis=0)
            y = (ranks * self.n_classes // self.n_samples).astype(int)
        elif self.parameters.get("criterion") == "poisson":
            y = np.abs(y)
        return y[:, 0] if self.n_outputs == 1 else y

    def _signal(self):
        return np.nan_to_num(self.samples().astype(float))

    def sample_weight(self):
        """Return the weights of the samples, or None."""
        rng = np.random.RandomState(self.number + 2_000_000)
        if self.weights == "integers":
            return rng.randint(0, 4, size=self.n_samples).astype(float)
        if self.weights == "uniform":
            return rng.uniform(size=self.n_samples)
        return None


def _sizes_and_stops(rng, one_of, n_features):
    """Return the parameters that trees of all kinds have, few of them at a time."""
    parameters = {"random_state": int(rng.randint(2**31))}
    choices = {
        "max_depth": one_of(1, 3, 8),
        "min_samples_split": one_of(5, 0.1, 30),
        "min_samples_leaf": one_of(2, 0.02, 11),
        "min_weight_fraction_leaf": one_of(0.01, 0.1),
        "max_leaf_nodes": one_of(2, 7, 60),
        "min_impurity_decrease": one_of(1e-7, 1e-3, 0.01),
        "ccp_alpha": one_of(1e-3, 0.01),
    }
    for name, value in choices.items():
        if rng.uniform() < (0.35 if name == "max_leaf_nodes" else 0.15):
            parameters[name] = value
    max_features = one_of(None, None, "sqrt", "log2", 0.5, 1, max(1, n_features - 1))
    return {**parameters, "max_features": max_features}


def classification_case(number):
    """Return the case of a number, with classes to tell apart. Sums are exact: weights are whole numbers."""
    rng = np.random.RandomState(number + 3_000_000)

    def one_of(*choices):
        return choices[rng.randint(len(choices))]

    n_features = int(10 ** rng.uniform(0, 1.6))
    n_classes = one_of(2, 2, 3, 10, 30)
    n_outputs = one_of(1, 1, 1, 1, 3)
    parameters = _sizes_and_stops(rng, one_of, n_features)
    parameters["criterion"] = one_of("gini", "gini", "entropy", "log_loss")
    parameters["splitter"] = one_of("best", "best", "random")
    kind = one_of(*KINDS)
    if n_classes == 2 and n_outputs == 1 and rng.uniform() < 0.3:
        parameters["monotonic_cst"] = rng.randint(-1, 2, size=n_features)
        if kind == "missing":
            kind = "continuous"
    if rng.uniform() < 0.15:
        parameters["class_weight"] = "balanced" if n_outputs > 1 else one_of({0: 3, 1: 2}, "balanced")
    return Case(
        number=number,
        kind=kind,
        n_samples=int(10 ** rng.uniform(0.7, 3.3)),
        n_features=n_features,
        n_outputs=n_outputs,
        n_classes=n_classes,
        weights=one_of("none", "none", "integers"),
        parameters=parameters,
    )


def regression_case(number):
    """Return the case of a number, with numbers to predict."""
    rng = np.random.RandomState(number + 4_000_000)

    def one_of(*choices):
        return choices[rng.randint(len(choices))]

    n_features = int(10 ** rng.uniform(0, 1.6))
    parameters = _sizes_and_stops(rng, one_of, n_features)
    parameters["criterion"] = one_of("squared_error", "squared_error", "squared_error", "absolute_error", "poisson")
    parameters["splitter"] = one_of("best", "best", "random")
    n_outputs = one_of(1, 1, 1, 3)
    kind = one_of(*KINDS)
    if n_outputs == 1 and rng.uniform() < 0.2 and kind != "missing":
        parameters["monotonic_cst"] = rng.randint(-1, 2, size=n_features)
    most = 2.6 if parameters["criterion"] == "absolute_error" else 3.3
    return Case(
        number=number,
        kind=kind,
        n_samples=int(10 ** rng.uniform(0.7, most)),
        n_features=n_features,
        n_outputs=n_outputs,
        n_classes=0,
        weights=one_of("none", "none", "integers", "uniform"),
        parameters=parameters,
    )
