"""Autoencoder: what it restores, beside PCA; noise, tied weights, and what it refuses."""

import numpy as np
import pytest
import scipy.sparse as sp
from neural_net_problem import assert_same_parameters
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastml import nn
from fastml.neural_network import Autoencoder
from fastml.neural_network._autoencoder_module import AutoencoderModule, Noise

DIGITS = load_digits().data[:400] / 16
RNG = np.random.default_rng(0)
# Near a curve in 6 dimensions: a line restores less of it.
ANGLE = RNG.uniform(-2, 2, 300)
CURVE = np.stack([f(ANGLE) for f in (np.sin, np.cos, np.tanh, np.square, np.abs, np.exp)], axis=1)
QUICK = {"optimizer__lr": 0.01, "max_epochs": 20, "random_state": 0}


def pca_error(X, n_components):
    pca = PCA(n_components).fit(X)
    return np.mean((pca.inverse_transform(pca.transform(X)) - X) ** 2)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_linear_one_reaches_pca(tied, dtype):
    """No linear code is better. Here descent ends within 1e-6 of the best, where it has passed the saddles."""
    X = DIGITS.astype(dtype)
    model = Autoencoder(
        8, tied=tied, optimizer__lr=0.05, schedule="cosine", batch_size=50, max_epochs=600, random_state=0
    ).fit(X)
    best = pca_error(DIGITS, 8)
    error = model.reconstruction_error(X).mean()
    assert best * (1 - 1e-6) <= error <= best * 1.0001
    # The same subspace: PCA's directions are combinations of the decoder's.
    directions = model.inverse_transform(np.vstack([np.eye(8), np.zeros(8)]).astype(dtype))
    basis, _ = np.linalg.qr((directions[:8] - directions[8]).T.astype(float))
    components = PCA(8).fit(DIGITS).components_
    cosines = np.linalg.svd(components @ basis, compute_uv=False)
    assert cosines.min() > 0.999


def test_hidden_layers_restore_more_than_a_line():
    X = StandardScaler().fit_transform(CURVE)
    model = Autoencoder(
        1,
        hidden_layer_sizes=(32, 16),
        activation="tanh",
        optimizer__lr=0.01,
        schedule="cosine",
        max_epochs=200,
        random_state=0,
    ).fit(X)
    assert model.reconstruction_error(X).mean() < 0.3 * pca_error(X, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_and_back(dtype):
    X = CURVE.astype(dtype)
    model = Autoencoder(2, hidden_layer_sizes=(8,), **QUICK)
    codes = model.fit_transform(X)
    np.testing.assert_array_equal(codes, model.transform(X))
    assert codes.shape == (300, 2)
    restored = model.inverse_transform(codes)
    assert codes.dtype == restored.dtype == dtype
    errors = model.reconstruction_error(X)
    np.testing.assert_allclose(errors, ((restored - X) ** 2).mean(axis=1), rtol=1e-5)
    assert model.score(X) == pytest.approx(-errors.mean())
    assert list(model.get_feature_names_out()) == ["autoencoder0", "autoencoder1"]
    assert Autoencoder(max_epochs=1).fit(X).n_components_ == 3
    with pytest.raises(ValueError, match="expected codes of 2 numbers, got 6"):
        model.inverse_transform(X)


def test_the_layers():
    module = (
        Autoencoder(
            2,
            hidden_layer_sizes=[7, 5],
            activation="elu",
            code_activation="tanh",
            output_activation="sigmoid",
            max_epochs=1,
        )
        .fit(CURVE)
        .module_
    )
    assert [type(layer).__name__ for layer in module.encoder] == ["Linear", "ELU", "Linear", "ELU", "Linear", "Tanh"]
    assert [type(layer).__name__ for layer in module.decoder] == ["Linear", "ELU", "Linear", "ELU", "Linear", "Sigmoid"]
    linear = [layer for part in (module.encoder, module.decoder) for layer in part if isinstance(layer, nn.Linear)]
    assert [layer.weight.shape for layer in linear] == [(7, 6), (5, 7), (2, 5), (5, 2), (7, 5), (6, 7)]


def test_tied_weights_are_one():
    module = AutoencoderModule([6, 4, 2], "tanh", "identity", "identity", True, None, 0.0, np.float64)
    names = [name for name, _ in module.named_parameters()]
    assert sorted(names) == sorted(
        [f"encoder.{i}.{what}" for i in (0, 2) for what in ("weight", "bias")] + ["decoder.0.bias", "decoder.2.bias"]
    )
    first, second = module.encoder[0], module.encoder[2]
    x = CURVE[:5]
    hidden = np.tanh(x @ first.weight.data.T + first.bias.data)
    code = hidden @ second.weight.data.T + second.bias.data
    back = np.tanh(code @ second.weight.data) @ first.weight.data
    np.testing.assert_allclose(module(x).data, back, atol=1e-12)
    # The gradient of a weight is the sum of both uses.
    assert nn.check_grads(lambda *_: (module(x) * module(x)).sum(), tuple(module.parameters())) is None


def test_a_tied_model_stays_tied_and_beats_its_start():
    model = Autoencoder(2, tied=True, hidden_layer_sizes=(5,), warm_start=True, **QUICK).fit(CURVE)
    first = model.score(CURVE)
    model.fit(CURVE)
    assert model.score(CURVE) > first
    assert model.module_.decoder[0]._linear[0] is model.module_.encoder[2]


def test_noise():
    x = nn.Tensor(np.full((2000, 5), 3.0))
    with nn.seeded(0):
        masked = Noise("masking", 0.25)(x).data
        noisy = Noise("gaussian", 0.5)(x).data
    assert set(np.unique(masked)) == {0.0, 3.0}
    assert np.mean(masked == 0) == pytest.approx(0.25, abs=0.02)  # 10,000 draws: 4 standard deviations
    assert noisy.mean() == pytest.approx(3, abs=0.02)
    assert noisy.std() == pytest.approx(0.5, abs=0.02)
    assert Noise("gaussian", 0.5).eval()(x) is x


def test_denoising():
    """Taught on noise of a size, it takes more of such noise away than a model that never saw any."""
    options = {"hidden_layer_sizes": (32,), **QUICK, "max_epochs": 100}
    clean = Autoencoder(10, **options).fit(DIGITS)
    taught = Autoencoder(10, noise="gaussian", noise_level=0.4, **options).fit(DIGITS)
    noisy = DIGITS + np.random.default_rng(1).normal(scale=0.4, size=DIGITS.shape)
    errors = [np.mean((model.inverse_transform(model.transform(noisy)) - DIGITS) ** 2) for model in (clean, taught)]
    assert errors[1] < 0.9 * errors[0]
    again = Autoencoder(10, noise="gaussian", noise_level=0.4, **options).fit(DIGITS)
    assert_same_parameters(taught, again)


def test_binary_cross_entropy_restores_to_what_the_sigmoid_gives():
    model = Autoencoder(5, criterion="binary_cross_entropy", **{**QUICK, "max_epochs": 60}).fit(DIGITS)
    restored = model.inverse_transform(model.transform(DIGITS))
    assert restored.min() > 0
    assert restored.max() < 1
    assert model.reconstruction_error(DIGITS).mean() < DIGITS.var(axis=0).mean() / 2
    with pytest.raises(ValueError, match=r"values in \[0, 1\]; scale them"):
        model.fit(DIGITS * 2)
    with pytest.raises(ValueError, match="takes the sigmoid itself, got 'tanh'"):
        model.set_params(output_activation="tanh").fit(DIGITS)


@pytest.mark.parametrize("criterion", ["absolute_error", "huber", nn.MSELoss(), nn.mse_loss])
def test_losses(criterion):
    model = Autoencoder(4, criterion=criterion, **{**QUICK, "max_epochs": 60}).fit(DIGITS)
    assert model.reconstruction_error(DIGITS).mean() < 0.6 * DIGITS.var(axis=0).mean()
    assert model.loss_curve_[-1] < 0.7 * model.loss_curve_[0]


def test_epochs_one_by_one():
    model = Autoencoder(4, optimizer__lr=0.01, random_state=0)
    errors = [-model.partial_fit(DIGITS).score(DIGITS) for _ in range(10)]
    assert errors[-1] < errors[0]
    assert model.history_["epoch"] == list(range(1, 11))


def test_in_a_pipeline_and_a_search():
    pipeline = make_pipeline(StandardScaler(), Autoencoder(1, **QUICK))
    search = GridSearchCV(pipeline, {"autoencoder__n_components": [1, 3]}, cv=3).fit(CURVE)
    assert search.best_params_ == {"autoencoder__n_components": 3}  # by `score`


def test_bad_input():
    with pytest.raises(TypeError, match="Sparse data was passed"):
        Autoencoder().fit(sp.csr_array(CURVE))
    with pytest.raises(ValueError, match="widths of at least 1"):
        Autoencoder(hidden_layer_sizes=(3, 0)).fit(CURVE)
    with pytest.raises(ValueError, match="expected a share of values to mask, got 2"):
        Autoencoder(noise="masking", noise_level=2).fit(CURVE)
    with pytest.raises(ValueError, match="'noise' parameter of Autoencoder must be"):
        Autoencoder(noise="salt").fit(CURVE)
