"""Modules: what they hold, what they compute, and how they name a layer that does not fit."""

import numpy as np
import pytest
from scipy import special

from fastml import nn
from fastml.nn import functional as F


def network(dtype=np.float64):
    return nn.Sequential(
        nn.Linear(4, 6, dtype=dtype),
        nn.ReLU(),
        nn.Residual(nn.Sequential(nn.Linear(6, 6, dtype=dtype), nn.BatchNorm1d(6, dtype=dtype), nn.GELU())),
        nn.Dropout(0.25),
        nn.LayerNorm(6, dtype=dtype),
        nn.Linear(6, 3, bias=False, dtype=dtype),
    )


class FixedSeed(np.random.RandomState):
    """Draws the same seed again and again: differences need a function, not a draw."""

    def randint(self, *args, **kwargs):
        return 7


NAMES = [
    "0.weight",
    "0.bias",
    "2.module.0.weight",
    "2.module.0.bias",
    "2.module.1.weight",
    "2.module.1.bias",
    "4.weight",
    "4.bias",
    "5.weight",
]


def test_parameters_and_buffers_are_found_by_name():
    model = network()
    assert [name for name, _ in model.named_parameters()] == NAMES
    buffers = [f"2.module.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")]
    assert [name for name, _ in model.named_buffers()] == buffers
    assert set(model.state_dict()) == {*NAMES, *buffers}
    assert model.state_dict()["0.weight"] is model[0].weight.data
    assert len(list(model.modules())) == 11


def test_a_shared_parameter_is_yielded_once():
    first = nn.Linear(3, 3)
    model = nn.Sequential(first, nn.Tanh(), nn.Linear(3, 3))
    model[2].weight = first.weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.bias"]
    assert "2.weight" in model.state_dict()
    x = np.ones((2, 3), np.float32)
    model(x).sum().backward()
    parts = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    parts.load_state_dict(model.state_dict())
    parts(x).sum().backward()
    np.testing.assert_allclose(first.weight.grad, parts[0].weight.grad + parts[2].weight.grad, rtol=1e-6)


def test_train_and_eval_reach_every_module():
    model = network().eval()
    assert not any(m.training for m in model.modules())
    x = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_array_equal(model(x).data, model(x).data)
    model.train()
    assert all(m.training for m in model.modules())
    assert (model(x).data != model(x).data).any()


def test_sequential_computes_linear_and_activation_as_if_they_were_two():
    model = network().eval()
    x = np.random.default_rng(0).normal(size=(5, 4))
    expected = x
    for module in model:
        expected = module(expected)
    np.testing.assert_allclose(model(x).data, expected.data, rtol=1e-12)
    for activation in (
        nn.ReLU(),
        nn.LeakyReLU(0.2),
        nn.ELU(0.7),
        nn.GELU(),
        nn.GELU("tanh"),
        nn.SiLU(),
        nn.Sigmoid(),
        nn.Tanh(),
        nn.Softplus(2.0),
    ):
        linear = nn.Linear(4, 3, dtype=np.float64, rng=0)
        np.testing.assert_allclose(
            nn.Sequential(linear, activation)(x).data, activation(linear(x)).data, rtol=1e-12, err_msg=repr(activation)
        )
    # One operation for both, where a layer has an activation behind it.
    for parts, made_by in (
        ([nn.Linear(4, 3), nn.Tanh()], "linear"),
        ([nn.Linear(4, 3), nn.Identity(), nn.Tanh()], "activation"),
    ):
        y = nn.Sequential(*parts)(x.astype(np.float32))
        assert f"made by {made_by}" in repr(y)


def test_defaults_are_pytorch_s():
    x = np.array([-2.0, -0.5, 0.0, 3.0])
    for layer, expected in [
        (nn.LeakyReLU(), np.where(x > 0, x, 0.01 * x)),
        (nn.ELU(), np.where(x > 0, x, np.expm1(x))),
        (nn.Softplus(), np.log1p(np.exp(x))),
        (nn.GELU(), x * special.ndtr(x)),
        (nn.Softmax(), special.softmax(x)),
        (nn.LayerNorm(4, dtype=np.float64), (x - x.mean()) / np.sqrt(x.var() + 1e-5)),
    ]:
        np.testing.assert_allclose(layer(x).data, expected, rtol=1e-12, atol=1e-15, err_msg=repr(layer))
    assert nn.Dropout().p == 0.5
    norm = nn.BatchNorm1d(2, dtype=np.float64)
    y = norm(np.array([[1.0, 5.0], [3.0, 5.0]])).data
    np.testing.assert_allclose(y, [[-1 / np.sqrt(1 + 1e-5), 0], [1 / np.sqrt(1 + 1e-5), 0]])
    np.testing.assert_allclose(norm.running_mean.data, [0.2, 0.5])
    np.testing.assert_allclose(norm.running_var.data, [0.9 + 0.1 * 2, 0.9])


def test_initial_values_are_drawn_from_the_seed():
    nn.manual_seed(7)
    first = nn.Linear(100, 50)
    nn.manual_seed(7)
    second = nn.Linear(100, 50)
    np.testing.assert_array_equal(first.weight.data, second.weight.data)
    for values in (first.weight.data, first.bias.data):
        assert np.abs(values).max() <= 0.1
        assert np.abs(values).max() > 0.09
        assert values.dtype == np.float32
    np.testing.assert_allclose(
        nn.Linear(4, 2, rng=1, dtype=np.float64).weight.data, nn.Linear(4, 2, rng=1).weight.data, rtol=1e-6
    )


def test_batch_norm_in_training_and_after_it():
    layer = nn.BatchNorm1d(3, momentum=0.3, dtype=np.float64)
    x = np.random.default_rng(0).normal(2, 3, size=(8, 3))
    y = layer(x).data
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(layer.running_mean.data, 0.3 * x.mean(axis=0))
    np.testing.assert_allclose(layer.running_var.data, 0.7 + 0.3 * x.var(axis=0, ddof=1))
    mean, var = layer.running_mean.data.copy(), layer.running_var.data.copy()
    layer.eval()
    np.testing.assert_allclose(layer(x).data, (x - mean) / np.sqrt(var + 1e-5))
    np.testing.assert_array_equal(layer.running_mean.data, mean)
    with pytest.raises(ValueError, match="more than one value per channel"):
        layer.train()(x[:1])


def test_batch_norm_counts_batches():
    layer = nn.BatchNorm1d(3, momentum=None, dtype=np.float64)
    batches = np.random.default_rng(0).normal(2, 3, size=(4, 8, 3))
    for x in batches:
        layer(x)
    assert layer.num_batches_tracked.item() == 4
    np.testing.assert_allclose(layer.running_mean.data, batches.mean(axis=(0, 1)))
    np.testing.assert_allclose(layer.running_var.data, batches.var(axis=1, ddof=1).mean(axis=0))
    layer.eval()(batches[0])
    assert layer.num_batches_tracked.item() == 4
    untracked = nn.BatchNorm1d(3, track_running_stats=False, dtype=np.float64)
    assert not list(untracked.buffers())
    np.testing.assert_array_equal(untracked(batches[0]).data, untracked.eval()(batches[0]).data)


def test_statistics_that_move_leave_what_was_recorded():
    layer = nn.BatchNorm1d(3, dtype=np.float64)
    x = np.random.default_rng(0).normal(2, 3, size=(2, 8, 3))
    given = nn.Tensor(x[0], requires_grad=True)
    y = layer.eval()(given)
    layer.train()(x[1])
    y.sum().backward()
    np.testing.assert_allclose(given.grad, np.full((8, 3), 1 / np.sqrt(1 + 1e-5)))


X5 = np.random.default_rng(1).normal(size=(6, 5))
X235 = X5.reshape(2, 3, 5)
LAYERS = {
    "linear": (lambda: nn.Linear(5, 4), X5),
    "linear_no_bias": (lambda: nn.Linear(5, 4, bias=False), X235),
    "leaky_relu": (lambda: nn.LeakyReLU(0.2), X5),
    "relu": (nn.ReLU, X5),
    "elu": (lambda: nn.ELU(1.5), X5),
    "elu_down": (lambda: nn.ELU(-1.5), X5),
    "gelu": (nn.GELU, X5),
    "gelu_tanh": (lambda: nn.GELU("tanh"), X5),
    "silu": (nn.SiLU, X5),
    "sigmoid": (nn.Sigmoid, X5),
    "tanh": (nn.Tanh, X5),
    "softplus": (lambda: nn.Softplus(2), X5),
    "softplus_threshold": (lambda: nn.Softplus(2, 0.5), X5),
    "softmax": (lambda: nn.Softmax(0), X5),
    "log_softmax": (nn.LogSoftmax, X5),
    "identity": (nn.Identity, X5),
    "flatten": (nn.Flatten, X235),
    "dropout": (lambda: nn.Dropout(0.3, rng=FixedSeed()), X5),
    "batch_norm": (lambda: nn.BatchNorm1d(5), X5),
    "batch_norm_positions": (lambda: nn.BatchNorm1d(3), X235),
    "layer_norm": (lambda: nn.LayerNorm(5), X5),
    "layer_norm_axes": (lambda: nn.LayerNorm((3, 5), bias=False), X235),
    "residual": (lambda: nn.Residual(nn.Linear(5, 5), nn.Linear(5, 5)), X5),
    "sequential": (lambda: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 3)), X5),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_layers_are_differences(name, training):
    build, x = LAYERS[name]
    nn.manual_seed(0)
    layer = build().double().train(training)
    names = [name for name, _ in layer.named_parameters()]

    def function(x, *parameters):
        for path, tensor in zip(names, parameters):
            *way, last = path.split(".")
            owner = layer
            for part in way:
                owner = getattr(owner, part)
            setattr(owner, last, tensor)
        return layer(x)

    nn.check_grads(function, [x, *[p.data for p in layer.parameters()]])


def test_gradients_of_an_embedding_are_differences():
    layer = nn.Embedding(5, 3, padding_idx=1, dtype=np.float64)

    def function(weight):
        layer.weight = weight
        return layer(np.array([[0, 4], [4, 2]])) ** 2

    nn.check_grads(function, [layer.weight.data])


def test_a_layer_that_does_not_fit_is_named_with_both_shapes():
    model = nn.Sequential({"body": nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(6, 2)), "head": nn.Linear(2, 1)})
    with pytest.raises(ValueError, match=r"^Linear\(in_features=6.*'body\.2': .*\(3, 5\).*\(2, 6\)"):
        model(np.ones((3, 4), np.float32))
    with pytest.raises(ValueError, match=r"'body\.0': .*\(3, 7\).*\(5, 4\)"):
        model(np.ones((3, 7), np.float32))
    with pytest.raises(ValueError, match=r"BatchNorm1d.*\(2, 5\).*3 channels"):
        nn.BatchNorm1d(3)(np.ones((2, 5), np.float32))
    with pytest.raises(ValueError, match=r"LayerNorm.*\(2, 5\).*\(3,\)"):
        nn.LayerNorm(3)(np.ones((2, 5), np.float32))
    with pytest.raises(ValueError, match=r"Residual.*\(2, 4\).*\(2, 3\)"):
        nn.Residual(nn.Linear(3, 4))(np.ones((2, 3), np.float32))
    with pytest.raises(TypeError, match="float64 and weight of float32"):
        nn.Linear(3, 4)(np.ones((2, 3)))


def test_types_are_changed_together():
    model = network(np.float32).double()
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float64)}
    types = {name.rpartition(".")[2]: buffer.dtype for name, buffer in model.named_buffers()}
    assert types == {"running_mean": np.float64, "running_var": np.float64, "num_batches_tracked": np.int64}
    assert model(np.ones((2, 4))).dtype == np.float64
    assert model.float()(np.ones((2, 4), np.float32)).dtype == np.float32


def test_a_module_of_one_s_own():
    class Scaled(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter(np.ones(1))
            self.inner = nn.Linear(2, 2, dtype=np.float64)

        def forward(self, x):
            return self.inner(x) * self.scale

    model = Scaled()
    assert [name for name, _ in model.named_parameters()] == ["scale", "inner.weight", "inner.bias"]
    model(np.ones((3, 2))).sum().backward()
    assert model.scale.grad.shape == (1,)
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_(False)
    assert not model(np.ones((3, 2))).requires_grad
    assert repr(model) == "Scaled(\n  (inner): Linear(in_features=2, out_features=2, bias=True)\n)"
    with pytest.raises(NotImplementedError, match=r"no forward\(\)"):
        nn.Module()(1)
    with pytest.raises(TypeError, match="expected modules"):
        nn.Sequential(F.relu)


def test_embedding_flatten_and_the_like():
    table = nn.Embedding(5, 3, rng=0)
    index = np.array([[0, 4], [4, 1]])
    np.testing.assert_array_equal(table(index).data, table.weight.data[index])
    model = nn.Sequential(table, nn.Flatten(), nn.Linear(6, 2), nn.LogSoftmax())
    y = model(index)
    np.testing.assert_allclose(np.exp(y.data).sum(axis=1), 1, rtol=1e-6)
    y.sum().backward()
    assert not table.weight.grad[[2, 3]].any()
    assert len(model.append(nn.Identity())) == 5


def test_training_lowers_the_loss():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 32), nn.Tanh(), nn.Linear(32, 2))
    for _ in range(300):
        model.zero_grad()
        loss = nn.cross_entropy(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data -= 0.5 * p.grad
    assert loss.item() < 0.2
    assert (model(x).data.argmax(axis=1) == y).mean() > 0.95
