"""The memory that IncrementalPCA takes beyond a file of samples: a few batches, whatever the file's size."""

import tracemalloc

import numpy as np
import pytest

from fastml.decomposition import IncrementalPCA


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8], ids=lambda dtype: dtype.__name__)
def test_memory_of_a_file(dtype, tmp_path):
    n, d, batch_size = 200_000, 50, 1000
    X = np.memmap(tmp_path / "samples", dtype, "w+", shape=(n, d))
    rng = np.random.RandomState(0)
    for begin in range(0, n, 20_000):
        X[begin : begin + 20_000] = rng.uniform(0, 255, (20_000, d))
    X.flush()
    X = np.memmap(tmp_path / "samples", dtype, "r", shape=(n, d))
    pca = IncrementalPCA(5, batch_size=batch_size)
    pca.fit(X[:2000])
    tracemalloc.start()
    try:
        pca.fit(X)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pca.n_samples_seen_ == n
    # NumPy's arrays are traced. The batch as floats, and matrices of the size of the features.
    assert peak < 3 * 8 * batch_size * d < X.nbytes / 5
