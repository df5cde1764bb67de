"""Random clustering problems, each made from its number alone."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

SHAPES = ("blobs", "overlapping blobs", "uniform", "heavy-tailed", "outliers", "far from the origin", "unequal scales")


@dataclass(frozen=True)
class Case:
    """A clustering problem.

    Parameters
    ----------
    number : int
        What the rest, the samples included, was drawn from.
    shape : str
        How the samples lie; "grid" is for small integers, which tie everywhere.
    n_samples, n_features, n_clusters, dtype, is_sparse, weights
        The samples, and how they are weighted: "none", "uniform", "integers" (with zeros), "skewed".
    init, algorithm, tol, n_init, max_iter
        Parameters of KMeans.
    """

    number: int
    shape: str
    n_samples: int
    n_features: int
    n_clusters: int
    dtype: str
    is_sparse: bool
    weights: str
    init: str
    algorithm: str
    tol: float
    n_init: int
    max_iter: int

    def __str__(self):
        storage = "csr " if self.is_sparse else ""
        return (
            f"{self.number}: {self.n_samples} x {self.n_features} {storage}{self.dtype} {self.shape}, "
            f"k={self.n_clusters}, {self.init} x {self.n_init}, {self.algorithm}, tol={self.tol}, "
            f"max_iter={self.max_iter}, weights: {self.weights}"
        )

    def samples(self):
        """Return X."""
        rng = np.random.RandomState(self.number)
        size = self.n_samples, self.n_features
        noise = rng.standard_normal(size)
        if self.shape == "grid":
            X = rng.randint(0, 4, size=size)
        elif self.shape == "uniform":
            X = rng.uniform(size=size)
        elif self.shape == "heavy-tailed":
            X = rng.standard_t(1.5, size=size)
        elif self.shape == "outliers":
            X = noise + 100 * (rng.uniform(size=(self.n_samples, 1)) < 0.01) * rng.standard_normal(size)
        else:
            n_blobs = rng.randint(2, 20)
            spread = 2.0 if self.shape == "overlapping blobs" else 8.0
            X = noise + spread * rng.standard_normal((n_blobs, self.n_features))[rng.randint(n_blobs, size=size[0])]
            if self.shape == "far from the origin":
                X += 1000 * rng.standard_normal(self.n_features)
            elif self.shape == "unequal scales":
                X *= 10.0 ** rng.uniform(-3, 3, size=self.n_features)
        if self.is_sparse:
            return sp.csr_matrix(np.where(rng.uniform(size=size) < 0.7, 0, X).astype(self.dtype))
        return X.astype(self.dtype)

    def sample_weight(self):
        """Return the weights of the samples, or None."""
        rng = np.random.RandomState(self.number + 1_000_000)
        if self.weights == "uniform":
            return rng.uniform(size=self.n_samples)
        if self.weights == "integers":
            return rng.randint(0, 4, size=self.n_samples).astype(float)
        if self.weights == "skewed":
            return rng.pareto(1.5, size=self.n_samples) + 0.01
        return None

    def parameters(self):
        """Return the parameters of KMeans."""
        init = self.init
        if init == "given":
            rows = np.random.RandomState(self.number + 2_000_000).choice(self.n_samples, self.n_clusters, replace=False)
            init = self.samples()[rows]
            init = init.toarray() if self.is_sparse else init
        return {
            "n_clusters": self.n_clusters,
            "init": init,
            "n_init": self.n_init,
            "algorithm": self.algorithm,
            "tol": self.tol,
            "max_iter": self.max_iter,
            "random_state": self.number,
        }


def random_case(number):
    """Return the case of a number."""
    rng = np.random.RandomState(number + 3_000_000)

    def one_of(*choices):
        return choices[rng.randint(len(choices))]

    n_samples = int(10 ** rng.uniform(1.3, 3.7))
    case = Case(
        number=number,
        shape=one_of(*SHAPES),
        n_samples=n_samples,
        n_features=int(10 ** rng.uniform(0, 2)),
        n_clusters=max(1, min(n_samples // 3, int(10 ** rng.uniform(0, 1.9)))),
        dtype=one_of("float32", "float64"),
        is_sparse=one_of(True, False, False),
        weights=one_of("none", "none", "uniform", "integers", "skewed"),
        init=one_of("k-means++", "k-means++", "random", "given"),
        algorithm=one_of("lloyd", "lloyd", "elkan"),
        tol=one_of(0, 1e-4, 1e-4, 1e-2),
        n_init=one_of(1, 1, 3),
        max_iter=one_of(300, 300, 300, 7, 1),
    )
    if case.init == "given":
        case = replace(case, n_init=1)
    if case.n_clusters == 1:
        case = replace(case, algorithm="lloyd")
    if case.is_sparse:
        # Of few columns, rows without a stored value would be many, and all alike.
        case = replace(case, n_features=case.n_features + 8)
    return case


def grid_case(number):
    """Return a case of samples on a grid, with many duplicates and exact ties."""
    case = random_case(number)
    return replace(
        case,
        shape="grid",
        n_samples=case.n_samples + 100,
        n_features=1 + case.n_features % 4,
        n_clusters=1 + case.n_clusters % 4,
        is_sparse=False,
        init="k-means++" if case.init == "given" else case.init,
        algorithm="lloyd",
    )
