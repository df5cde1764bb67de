"""Eigenvalues and leading eigenvectors of covariance matrices, and the number of components they suggest."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition._pca import _infer_dimension

from fastml.decomposition import _spectrum
from fastml.decomposition._dimension import infer_dimension
from fastml.decomposition._spectrum import Spectrum


def matrix_of(values, seed=0):
    """Return a symmetric matrix with the given eigenvalues, and its eigenvectors as rows."""
    rng = np.random.RandomState(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((len(values), len(values))))
    matrix = (Q * values) @ Q.T
    return (matrix + matrix.T) / 2, Q.T


SPECTRA = {
    "distinct": np.geomspace(10, 0.1, 40),
    "steep": np.geomspace(1, 1e-14, 30),
    "equal": np.full(25, 3.0),
    "clusters": np.repeat([5.0, 2.0, 1.0], 20),
    "nearly equal": 1 + np.arange(50)[::-1] * 1e-13,
    "no rank": np.r_[4.0, 3.0, 2.0, np.zeros(37)],
    "two": np.array([2.0, 1.0]),
    "one": np.array([2.0]),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", SPECTRA)
def test_spectra(name, dtype):
    expected = SPECTRA[name]
    matrix, _ = matrix_of(expected)
    d, eps = len(expected), 20 * np.finfo(dtype).eps
    for count in {0, 1, d // 4, d // 2, d}:
        spectrum = Spectrum(matrix, dtype)
        values, vectors = spectrum.leading(count)
        assert values.shape == (count,)
        assert vectors.shape == (count, d)
        assert vectors.dtype == dtype
        assert_allclose(values, expected[:count], atol=eps * expected[0])
        assert_allclose(vectors @ vectors.T, np.eye(count), atol=d * eps)
        # Whatever basis was taken of equal eigenvalues: each of its vectors is an eigenvector.
        assert_allclose(vectors @ matrix, values[:, None] * vectors, atol=d * eps * expected[0])
        assert spectrum.rest(values) == pytest.approx(expected[count:].sum(), abs=d * eps * expected[0])
        assert_allclose(spectrum.values, expected, atol=eps * expected[0])
        assert (spectrum.values >= 0).all()


def test_small_rest_keeps_its_digits():
    # The trace less the leading eigenvalues would have a few digits of it.
    expected = np.r_[np.geomspace(2, 1, 3), np.full(27, 1e-9)]
    spectrum = Spectrum(matrix_of(expected)[0])
    rest = spectrum.rest(spectrum.leading(3)[0])
    assert rest == pytest.approx(27e-9, rel=1e-5)


@pytest.mark.parametrize("constant", [[0], [3, 4, 11], range(1, 12), range(12)], ids=["1", "3", "11", "all"])
def test_constant_features(constant):
    matrix, _ = matrix_of(np.geomspace(3, 1, 12))
    constant = list(constant)
    matrix[constant] = matrix[:, constant] = 0
    for count in (0, 1, 3, 12):
        values, vectors = Spectrum(matrix).leading(count)
        assert_allclose(values, np.linalg.eigvalsh(matrix)[::-1][:count], atol=1e-14)
        assert_allclose(vectors @ vectors.T, np.eye(count), atol=1e-13)
        assert_allclose(vectors @ matrix, values[:, None] * vectors, atol=1e-13)


def test_failing_method(monkeypatch):
    matrix, vectors = matrix_of(np.geomspace(10, 0.1, 40))
    monkeypatch.setattr(_spectrum, "MOST_OVERLAP", 0.0)
    spectrum = Spectrum(matrix)
    _, found = spectrum.leading(4)
    assert "_all" in vars(spectrum)
    assert_allclose(np.abs(found @ vectors[:4].T), np.eye(4), atol=1e-12)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_not_finite(odd):
    # LAPACK's methods for some of the eigenvalues are not asked: they may not return.
    matrix, _ = matrix_of(np.geomspace(10, 0.1, 40))
    matrix[3, 3] = odd
    for find in (lambda spectrum: spectrum.leading(2)[0], lambda spectrum: spectrum.values):
        try:
            values = find(Spectrum(matrix))
        except np.linalg.LinAlgError:
            continue
        assert not np.isfinite(values).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n_samples", [30, 1000])
def test_dimension(seed, n_samples):
    rng = np.random.RandomState(seed)
    for d in (1, 2, 3, 12, 25):
        spectrum = np.sort(rng.gamma(0.3, size=d) + 0.1 * rng.standard_normal(d) ** 2)[::-1].copy()
        for values in (spectrum, np.r_[spectrum, 0.0, 0.0], np.r_[spectrum, 1e-16]):
            found = infer_dimension(values, n_samples)
            assert found == _infer_dimension(values, n_samples)
            assert type(found) is np.int64
            if d > 1:
                narrow = values.astype(np.float32)
                assert infer_dimension(narrow, n_samples) == _infer_dimension(narrow, n_samples)


def test_dimension_of_equal_eigenvalues():
    values = np.array([3.0, 2.0, 2.0, 1.0])
    with pytest.raises(ValueError) as stock:
        _infer_dimension(values, 50)
    with pytest.raises(ValueError, match=str(stock.value)):
        infer_dimension(values, 50)
    assert_array_equal(infer_dimension(np.zeros(4), 50), _infer_dimension(np.zeros(4), 50))
