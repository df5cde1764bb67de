"""The data that contenders are given. Everything is drawn from a seed, so that each process makes the same arrays."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MNIST_IMAGES = "mnist-t10k-images-idx3-ubyte.gz"
MNIST_LABELS = "mnist-t10k-labels-idx1-ubyte.gz"
MNIST_SIDE = 28
IDX_HEADER_BYTES = 16  # of images; that of labels has half as many
LETTERS = "letter-recognition.csv"
ADULT = "adult-train.csv"


@dataclass(frozen=True)
class Samples:
    """Rows to work on, centroids to start from, and where they come from.

    Parameters
    ----------
    X : ndarray or csr_array of shape (rows, features)
        The samples.
    starts : ndarray of shape (n_starts, features)
        Distinct rows of X, or means of some where X is sparse: the same initial centroids for every contender.
    origin : str
        For the record.
    """

    X: Any
    starts: NDArray[Any]
    origin: str


def overlapping_blobs(
    rows: int, features: int, centers: int, separation: float, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Samples:
    """Draw Gaussian blobs whose centers lie about ``separation`` standard deviations apart.

    Well separated blobs are settled after two or three iterations; overlapping ones keep rows moving, as real data do.
    """
    rng = np.random.default_rng(seed)
    # Two draws of N(0, s^2) in d dimensions are s * sqrt(2 d) apart on average.
    means = rng.normal(scale=separation / np.sqrt(2 * features), size=(centers, features))
    X = means[rng.integers(centers, size=rows)] + rng.normal(size=(rows, features))
    return _with_starts(X.astype(dtype), centers, rng, f"{centers} blobs, separation {separation}")


def blobs_in_noise(
    rows: int, features: int, centers: int, noise: float, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Samples:
    """Draw Gaussian blobs somewhere in a box, and a share ``noise`` of rows anywhere in it: work for DBSCAN."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(-10, 10, size=(centers, features))
    X = means[rng.integers(centers, size=rows)] + rng.normal(size=(rows, features))
    anywhere = rng.random(rows) < noise
    X[anywhere] = rng.uniform(-13, 13, size=(int(anywhere.sum()), features))
    return _with_starts(X.astype(dtype), centers, rng, f"{centers} blobs, {noise:.0%} noise")


def uniform(rows: int, features: int, starts: int, dtype: str, data_dir: Path | None = None, seed: int = 0) -> Samples:
    """Draw rows without any structure: the hardest case for methods that skip work."""
    rng = np.random.default_rng(seed)
    X = rng.random((rows, features), dtype=np.dtype(dtype).type)
    return _with_starts(X, starts, rng, "uniform")


def digit_images(rows: int, starts: int, dtype: str, data_dir: Path | None = None, seed: int = 0) -> Samples:
    """Give 28 x 28 images of handwritten digits in [0, 1].

    From MNIST's file when ``data_dir`` has it, else from scikit-learn's bundled 8 x 8 digits, enlarged. Rows beyond
    the images there are get an image again, shifted by a few pixels.
    """
    rng = np.random.default_rng(seed)
    if data_dir is not None and (data_dir / MNIST_IMAGES).exists():
        images, origin = _read_idx_images(data_dir / MNIST_IMAGES), "MNIST"
    else:
        images, origin = _enlarged_digits(), "enlarged digits"
    chosen = np.arange(rows) % len(images)
    X = np.empty((rows, MNIST_SIDE, MNIST_SIDE), dtype=dtype)
    for row, (image, (down, right)) in enumerate(zip(chosen, rng.integers(-2, 3, size=(rows, 2)), strict=True)):
        moved = row >= len(images)
        X[row] = np.roll(images[image], (down, right), axis=(0, 1)) if moved else images[image]
    return _with_starts(X.reshape(rows, -1), starts, rng, origin)


def sparse_texts(
    rows: int, features: int, density: float, starts: int, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Samples:
    """Draw a CSR matrix with the column frequencies of a bag of words (Zipf's law), rows of unit length."""
    import scipy.sparse

    rng = np.random.default_rng(seed)
    words = round(features * density)
    frequency = 1.0 / np.arange(1, features + 1)
    lengths = np.maximum(1, rng.poisson(words, size=rows))
    columns = rng.choice(features, size=lengths.sum(), p=frequency / frequency.sum())
    counts = scipy.sparse.coo_array(
        (np.ones(len(columns)), (np.repeat(np.arange(rows), lengths), columns)), shape=(rows, features)
    ).tocsr()  # adds up repeated words
    counts.data /= np.repeat(np.sqrt(np.add.reduceat(counts.data**2, counts.indptr[:-1])), np.diff(counts.indptr))
    # scikit-learn takes 32-bit indices only.
    X = scipy.sparse.csr_matrix(
        (counts.data.astype(dtype), counts.indices.astype(np.int32), counts.indptr.astype(np.int32)), shape=counts.shape
    )
    # Most rows share no word with a single other row, and are exactly as far from all such; no two means are.
    means = [X[group].mean(axis=0) for group in np.array_split(rng.permutation(rows), starts)]
    return Samples(X, np.asarray(means, dtype=dtype).reshape(starts, features), "bag of words")


def iris(dtype: str, data_dir: Path | None = None) -> Samples:
    """Give scikit-learn's bundled iris measurements."""
    from sklearn.datasets import load_iris

    X = load_iris().data.astype(dtype)
    return Samples(X, X[[0, 50, 100]], "iris")


@dataclass(frozen=True)
class Labelled:
    """Rows with what is to be learnt of them, and further ones to see how well it was.

    Parameters
    ----------
    X : ndarray of shape (rows, features)
        The samples.
    y : ndarray of shape (rows,) or (rows, targets)
        Class numbers, or what is to be predicted.
    X_held_out, y_held_out : ndarray
        The same of rows that nothing is learnt from.
    origin : str
        For the record.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    X_held_out: NDArray[Any]
    y_held_out: NDArray[Any]
    origin: str


def classes(
    rows: int,
    features: int,
    held_out: int,
    dtype: str,
    values: int | None = None,
    data_dir: Path | None = None,
    seed: int = 0,
) -> Labelled:
    """Draw two overlapping classes, each of many clusters, with one label in twenty drawn anew.

    A half of the features tell the classes apart, a quarter are mixtures of these, the rest are noise. With ``values``
    every feature is rounded to about so many values.
    """
    from sklearn.datasets import make_classification

    X, y = make_classification(
        rows + held_out,
        features,
        n_informative=features // 2,
        n_redundant=features // 4,
        flip_y=0.05,
        random_state=seed,
    )
    origin = "two classes"
    if values is not None:
        low, high = X.min(axis=0), X.max(axis=0)
        X = np.round((X - low) / (high - low) * values)
        origin += f", {values} values"
    return _held_out(X.astype(dtype), y, rows, origin)


def numbers(
    rows: int,
    features: int,
    held_out: int,
    dtype: str,
    data_dir: Path | None = None,
    seed: int = 0,
    targets: int = 1,
) -> Labelled:
    """Draw rows and linear functions of half their features, with noise."""
    from sklearn.datasets import make_regression

    X, y = make_regression(
        rows + held_out, features, n_informative=features // 2, n_targets=targets, noise=20.0, random_state=seed
    )
    return _held_out(X.astype(dtype), y, rows, "linear, with noise")


def clouds(
    rows: int, features: int, held_out: int, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw rows from one Gaussian: nothing to go by for searches that leave out what is far away."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows + held_out, features)).astype(dtype)
    return _held_out(X, (X[:, 0] > 0).astype(np.int64), rows, "one Gaussian")


def letters(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give 16 small integers that describe images of 26 letters; else 8 x 8 digits, small integers too."""
    if data_dir is not None and (data_dir / LETTERS).exists():
        table = np.loadtxt(data_dir / LETTERS, delimiter=",", dtype=str, skiprows=1)
        X, y, origin = table[:, 1:].astype(dtype), np.unique(table[:, 0], return_inverse=True)[1], "letters"
    else:
        from sklearn.datasets import load_digits

        bundled = load_digits()
        X, y, origin = bundled.data.astype(dtype), bundled.target, "digits"
    return _shuffled(X, y, origin, seed)


def adult(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give the census of incomes, words by number in the order of the alphabet; else the breast cancer measurements."""
    if data_dir is not None and (data_dir / ADULT).exists():
        lines = (data_dir / ADULT).read_text(encoding="utf-8").split("\n")
        table = np.array([[cell.strip() for cell in line.split(",")] for line in lines if line.strip()])
        X = np.stack([_by_number(column) for column in table.T[:-1]], axis=1).astype(dtype)
        y, origin = np.unique(table[:, -1], return_inverse=True)[1], "adult"
    else:
        from sklearn.datasets import load_breast_cancer

        bundled = load_breast_cancer()
        X, y, origin = bundled.data.astype(dtype), bundled.target, "breast cancer"
    return _shuffled(X, y, origin, seed)


def digits(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give images of handwritten digits, one grey value a feature: MNIST's, else the bundled ones, enlarged."""
    if data_dir is not None and (data_dir / MNIST_IMAGES).exists():
        images, origin = _read_idx_images(data_dir / MNIST_IMAGES), "MNIST"
        with gzip.open(data_dir / MNIST_LABELS) as file:
            y = np.frombuffer(file.read()[IDX_HEADER_BYTES // 2 :], dtype=np.uint8).astype(np.intp)
    else:
        from sklearn.datasets import load_digits

        images, y, origin = _enlarged_digits(), load_digits().target, "enlarged digits"
    return _shuffled(images.reshape(len(images), -1).astype(dtype), y, origin, seed)


def _by_number(column: NDArray[Any]) -> NDArray[Any]:
    """Give a column of numbers as it is, one of words as their places among the words there are."""
    try:
        return column.astype(np.float64)
    except ValueError:
        return np.unique(column, return_inverse=True)[1]


def _shuffled(X: NDArray[Any], y: NDArray[Any], origin: str, seed: int) -> Labelled:
    """Hold out one row in five."""
    order = np.random.default_rng(seed).permutation(len(X))
    return _held_out(X[order], y[order], len(X) - len(X) // 5, origin)


def _held_out(X: NDArray[Any], y: NDArray[Any], rows: int, origin: str) -> Labelled:
    """Hold out all but the first rows."""
    return Labelled(np.ascontiguousarray(X[:rows]), y[:rows].copy(), X[rows:].copy(), y[rows:].copy(), origin)


@dataclass(frozen=True)
class Factors:
    """The two factors of a matrix product, C-contiguous."""

    left: NDArray[Any]
    right: NDArray[Any]


def factors(m: int, n: int, k: int, dtype: str, data_dir: Path | None = None, seed: int = 0) -> Factors:
    """Draw an (m, k) and a (k, n) matrix, uniform on [-1, 1)."""
    rng = np.random.default_rng(seed)
    left, right = (rng.random(shape, dtype=np.dtype(dtype).type) * 2 - 1 for shape in ((m, k), (k, n)))
    return Factors(left, right)


def _with_starts(X: NDArray[Any], starts: int, rng: np.random.Generator, origin: str) -> Samples:
    chosen = np.sort(rng.choice(len(X), size=starts, replace=False))
    return Samples(X, X[chosen].copy(), origin)


def _read_idx_images(path: Path) -> NDArray[np.float64]:
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), dtype=np.uint8, offset=IDX_HEADER_BYTES)
    return pixels.reshape(-1, MNIST_SIDE, MNIST_SIDE) / 255.0


def _enlarged_digits() -> NDArray[np.float64]:
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    images = load_digits().images / 16.0
    enlarged: NDArray[np.float64] = zoom(images, (1, 3, 3), order=1).clip(0, 1)
    margin = (MNIST_SIDE - enlarged.shape[1]) // 2
    return np.pad(enlarged, ((0, 0), (margin, margin), (margin, margin)))
