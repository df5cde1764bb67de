"""ConvAutoencoder: codes, what images are restored to, and in which form."""

import numpy as np
import pytest
from digit_images import BYTES, IMAGES, QUICK, TEST, TRAIN, colours
from neural_net_problem import assert_same_parameters
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV

from fastml import nn
from fastml.neural_network import ConvAutoencoder


def test_it_restores_images_it_has_not_seen():
    model = ConvAutoencoder(n_components=10, max_epochs=30, optimizer__lr=3e-3, random_state=0).fit(IMAGES[TRAIN])
    codes = model.transform(IMAGES[TEST])
    assert codes.shape == (597, 10)
    restored = model.inverse_transform(codes)
    assert restored.shape == IMAGES[TEST].shape
    errors = model.reconstruction_error(IMAGES[TEST])
    np.testing.assert_allclose(errors, np.mean((restored - IMAGES[TEST]) ** 2, axis=(1, 2)), rtol=1e-4)
    assert model.score(IMAGES[TEST]) == pytest.approx(-errors.mean())
    # Fewer numbers than a linear code of the same quality needs.
    pca = PCA(6).fit(IMAGES[TRAIN].reshape(-1, 64))
    linear = pca.inverse_transform(pca.transform(IMAGES[TEST].reshape(-1, 64))).reshape(-1, 8, 8)
    assert errors.mean() < np.mean((linear - IMAGES[TEST]) ** 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize(
    ("form", "options"),
    [
        (lambda X: X[:, 0], {}),
        (lambda X: X, {}),
        (lambda X: X[:, 0].reshape(-1, 64), {}),
        (lambda X: colours(X[:, 0]), {}),
        (lambda X: np.ascontiguousarray(colours(X[:, 0]).transpose(0, 2, 3, 1)), {"channels": "last"}),
        (lambda X: colours(X[:, 0]).transpose(0, 2, 3, 1).reshape(-1, 192),
         {"channels": "last", "image_shape": (8, 8, 3)}),
    ],
    ids=["grey", "channel", "rows", "colours", "last", "last-rows"],
)  # fmt: skip
def test_images_come_back_in_their_form(form, options, dtype):
    given = BYTES[:40] if dtype == np.uint8 else IMAGES[:40].astype(dtype)
    X = form(given[:, np.newaxis])
    model = ConvAutoencoder(n_components=5, batch_size=8, max_epochs=20, optimizer__lr=0.01, random_state=0, **options)
    codes = model.fit_transform(X)
    computed = np.dtype(np.float32 if dtype == np.uint8 else dtype)
    assert codes.dtype == computed
    restored = model.inverse_transform(codes)
    assert restored.shape == X.shape
    assert restored.dtype == computed
    in_units = X / 255 if dtype == np.uint8 else X
    errors = np.mean((restored - in_units) ** 2, axis=tuple(range(1, X.ndim)))
    np.testing.assert_allclose(model.reconstruction_error(X), errors, rtol=1e-3)
    # Were axes mixed up, it would be no better than no image at all.
    assert errors.mean() < 0.6 * np.mean((in_units - in_units.mean(axis=0)) ** 2)


@pytest.mark.parametrize("shape", [(1, 5, 7), (2, 1, 1), (3, 8, 1), (1, 2, 3), (1, 9, 16)])
@pytest.mark.parametrize("filters", [(3,), (4, 5, 6), 2])
def test_sizes(shape, filters):
    X = np.random.default_rng(0).random((10, *shape)).astype(np.float32)
    model = ConvAutoencoder(n_components=2, filters=filters, max_epochs=1).fit(X)
    assert model.inverse_transform(model.transform(X)).shape == X.shape
    convolutions = [layer for layer in model.module_.encoder if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == np.size(filters)


def test_options():
    model = ConvAutoencoder(
        activation="tanh",
        code_activation="sigmoid",
        criterion="binary_cross_entropy",
        noise="masking",
        noise_level=0.3,
        early_stopping=True,
        **QUICK,
    ).fit(IMAGES)
    codes = model.transform(IMAGES[:50])
    assert codes.shape == (50, 32)
    assert np.all((codes > 0) & (codes < 1))
    restored = model.inverse_transform(codes)
    assert np.all((restored > 0) & (restored < 1))
    assert list(model.get_feature_names_out()[:2]) == ["convautoencoder0", "convautoencoder1"]
    first, second = (ConvAutoencoder(noise="gaussian", **QUICK).fit(IMAGES[:99]) for _ in range(2))
    assert_same_parameters(first, second)
    first.partial_fit(IMAGES[:99])
    search = GridSearchCV(ConvAutoencoder(random_state=0), {"n_components": [1, 20], "max_epochs": [15]}, cv=2)
    assert search.fit(BYTES[:400]).best_params_["n_components"] == 20


def test_bad_arguments():
    with pytest.raises(ValueError, match="filters: expected a number of channels at least"):
        ConvAutoencoder(filters=()).fit(IMAGES)
    with pytest.raises(ValueError, match="expected whole widths of at least 1"):
        ConvAutoencoder(filters=(4, 0)).fit(IMAGES)
    with pytest.raises(ValueError, match="binary cross entropy is for values in"):
        ConvAutoencoder(criterion="binary_cross_entropy").fit(IMAGES * 2 - 1)
    with pytest.raises(ValueError, match="noise_level: expected a share of values to mask, got 2"):
        ConvAutoencoder(noise="masking", noise_level=2).fit(IMAGES)
    model = ConvAutoencoder(n_components=3, **QUICK).fit(IMAGES[:50])
    with pytest.raises(ValueError, match="expected codes of 3 numbers, got 4"):
        model.inverse_transform(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"ConvAutoencoder was fitted on \(1, 8, 8\)"):
        model.transform(colours(IMAGES[:3]))
