"""Bootstrap samples and the weights of their classes: scikit-learn's, drawn in less time."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_array_equal
from sklearn.ensemble._forest import _generate_sample_indices
from sklearn.utils import compute_sample_weight

from fastml.ensemble._bootstrap import Bootstrap, balanced_weights
from fastml.tree._growing import seeded

seeds = st.integers(0, 2**31 - 2)


@settings(deadline=None)
@given(n_samples=st.integers(1, 300), n_draws=st.integers(1, 500), seed=seeds, kind=st.sampled_from([None, "f8", "f4"]))
def test_the_same_samples_are_drawn(n_samples, n_draws, seed, kind):
    weights = None
    if kind is not None:
        weights = np.random.RandomState(seed).uniform(size=n_samples).round(1).astype(kind)
        weights[0] = 1
    expected = _generate_sample_indices(seed, n_samples, n_draws, weights)
    drawn = Bootstrap(n_samples, n_draws, weights)
    assert_array_equal(drawn.indices(seeded(seed)), expected)
    assert_array_equal(drawn.counts(seeded(seed)), np.bincount(expected, minlength=n_samples))


@settings(deadline=None)
@given(n_samples=st.integers(1, 200), n_outputs=st.integers(1, 3), n_classes=st.integers(1, 20), seed=seeds)
def test_the_same_classes_weigh_the_same(n_samples, n_outputs, n_classes, seed):
    rng = np.random.RandomState(seed)
    codes = np.column_stack(
        [np.unique(rng.randint(0, n_classes, n_samples), return_inverse=True)[1] for _ in range(n_outputs)]
    )
    indices = rng.randint(0, n_samples, n_samples)
    counts = np.bincount(indices, minlength=n_samples)
    ours = balanced_weights(codes, codes.max(axis=0) + 1, counts)
    assert_array_equal(ours, compute_sample_weight("balanced", codes.astype(float), indices=indices))


@pytest.mark.parametrize("weights", [[1.0, -1.0, 2.0], [0.0, 0.0, 0.0], [1.0, np.nan, 1.0]])
def test_the_same_weights_are_refused(weights):
    errors = []
    for draw in (
        lambda weights: Bootstrap(3, 3, weights),
        lambda weights: _generate_sample_indices(0, 3, 3, weights),
    ):
        with pytest.raises(ValueError) as error, np.errstate(invalid="ignore"):
            draw(np.array(weights))
        errors.append(str(error.value))
    assert errors[0] == errors[1]


def test_a_generator_seeded_anew_is_a_new_one():
    for seed in (0, 5, np.int64(7), 2**32 - 1):
        assert_array_equal(seeded(seed).randint(0, 2**31, 5), np.random.RandomState(seed).randint(0, 2**31, 5))
    own = np.random.RandomState(3)
    assert seeded(own) is own
    for wrong in (-1, 2**32):
        with pytest.raises(ValueError, match="Seed must be between"):
            seeded(wrong)
