"""What modules side by side compute in one pass is what they compute one by one."""

import numpy as np
import pytest

from fastml import nn
from fastml.nn import functional as F, predictor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3, 7, 6))


class Alone(nn.Module):
    """A module that nothing is joined with."""

    def __init__(self, module):
        self.module = module

    def forward(self, x):
        return self.module(x)


def wake(module):
    """Give BatchNorms statistics and weights that matter."""
    for m in module.modules():
        if not isinstance(m, nn.BatchNorm2d):
            continue
        rng, n = np.random.default_rng(m.num_features), m.num_features
        if m.running_mean is not None:
            m.running_mean.data[:], m.running_var.data[:] = rng.normal(size=n), rng.random(n) + 0.5
        if m.weight is not None:
            m.weight.data[:], m.bias.data[:] = rng.normal(size=(2, n))
    return module.double()


def block(**options):
    return [nn.Conv2d(3, 4, 3, padding=1, rng=0, **options), nn.BatchNorm2d(4)]


SEQUENCES = {
    "conv_relu": lambda: [nn.Conv2d(3, 4, 3, rng=0), nn.ReLU()],
    "conv_gelu": lambda: [nn.Conv2d(3, 4, 3, rng=0), nn.GELU()],
    "transpose_tanh": lambda: [nn.ConvTranspose2d(3, 4, 3, rng=0), nn.Tanh()],
    "conv_norm": block,
    "conv_norm_relu": lambda: [*block(), nn.ReLU()],
    "conv_norm_relu_conv": lambda: [*block(bias=False), nn.ReLU(), nn.Conv2d(4, 2, 1, rng=1)],
    "reflect": lambda: [nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect", rng=0), nn.BatchNorm2d(4), nn.ReLU()],
    "channels": lambda: [nn.Conv2d(3, 3, 3, groups=3, rng=0), nn.BatchNorm2d(3), nn.ReLU()],
    "norm_gelu": lambda: [*block(), nn.GELU()],
    "plain_norm": lambda: [nn.Conv2d(3, 4, 3, rng=0), nn.BatchNorm2d(4, affine=False), nn.ReLU()],
    "norm_of_the_batch": lambda: [nn.Conv2d(3, 4, 3, rng=0), nn.BatchNorm2d(4, track_running_stats=False)],
}


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", SEQUENCES)
def test_joined_is_one_by_one(case, training, recorded):
    joined, single = (wake(nn.Sequential(*SEQUENCES[case]())) for _ in range(2))
    single = nn.Sequential(*[Alone(m) for m in single])
    for network in (joined, single):
        network.train(training)
    with nn.enable_grad() if recorded else nn.no_grad():
        a, b = joined(X), single(X)
    np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-12)
    assert a.requires_grad == b.requires_grad == recorded
    for one, other in zip(joined.buffers(), single.buffers()):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-12)


@pytest.mark.parametrize("mode", ["training", "use", "use_recorded"])
@pytest.mark.parametrize("activation", [None, nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("last", ["norm", "conv", "nested"])
def test_residual(last, shortcut, activation, mode):
    def build():
        inside = [nn.Conv2d(3, 4, 3, padding=1, rng=0), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1, rng=1)]
        inside += [] if last == "conv" else [nn.BatchNorm2d(3)]
        module = nn.Sequential(nn.Sequential(*inside)) if last == "nested" else nn.Sequential(*inside)
        way = nn.Sequential(nn.Conv2d(3, 3, 1, rng=2), nn.BatchNorm2d(3)) if shortcut else None
        return wake(nn.Sequential(nn.Residual(module, way, activation and activation()))).train(mode == "training")

    network, other = build(), build()
    x, z = nn.Tensor(X, requires_grad=True), nn.Tensor(X, requires_grad=True)
    with nn.no_grad() if mode == "use" else nn.enable_grad():
        y = network(x)
        parts = other[0]
        expected = Alone(parts.module)(z) + (parts.shortcut(z) if shortcut else z)
        expected = activation()(expected) if activation else expected
    np.testing.assert_allclose(y.data, expected.data, rtol=1e-12, atol=1e-12)
    if mode == "use":
        return
    gradient = np.random.default_rng(1).normal(size=y.shape)
    y.backward(gradient)
    expected.backward(gradient)
    np.testing.assert_allclose(x.grad, z.grad, rtol=1e-9, atol=1e-11)
    for a, b in zip(network.parameters(), other.parameters()):
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-9, atol=1e-11)


def test_dense_block_joins_channels():
    block = nn.DenseBlock(nn.Conv2d(3, 2, 3, padding=1, rng=0), nn.Conv2d(5, 4, 1, rng=1)).double()
    one, two = block.children()
    first = F.concatenate([nn.Tensor(X), one(X)], 1)
    expected = F.concatenate([first, two(first)], 1)
    np.testing.assert_array_equal(block(X).data, expected.data)
    with pytest.raises(TypeError, match="expected modules"):
        nn.DenseBlock(3)


def test_derived_layers_keep_their_own_forward():
    class Twice(nn.Conv2d):
        def forward(self, x):
            return super().forward(x) * 2

    class Shifted(nn.BatchNorm2d):
        def forward(self, x):
            return super().forward(x) + 1

    conv, norm = Twice(3, 4, 3, rng=0), Shifted(4)
    network = wake(nn.Sequential(conv, norm, nn.ReLU())).eval()
    with nn.no_grad():
        np.testing.assert_array_equal(network(X).data, F.relu(norm(conv(X))).data)


def test_derived_activations_keep_their_own_forward():
    class Hundredfold(nn.ReLU):
        def forward(self, x):
            return super().forward(x) * 100

    for layer in (nn.Conv2d(3, 4, 3, rng=0), nn.BatchNorm2d(3)):
        network = nn.Sequential(layer, Hundredfold()).double()
        np.testing.assert_array_equal(network(X).data, 100 * F.relu(layer(X)).data)


def test_a_forward_set_on_a_layer_is_called():
    seen = []
    network = wake(nn.Sequential(*block(), nn.ReLU())).eval()
    with nn.no_grad():
        expected = network(X).data
        original = network[1].forward
        network[1].forward = lambda x: seen.append(x.shape) or original(x)
        np.testing.assert_allclose(network(X).data, expected, rtol=1e-12)
    assert seen == [(4, 4, 7, 6)]


def test_folding_sees_changed_weights_and_statistics():
    network = wake(nn.Sequential(*block(), nn.ReLU())).eval()
    with nn.no_grad():
        network(X)
        network[0].weight.data *= 2
        network[1].running_mean.data += 1
        a = network(X).data
    np.testing.assert_allclose(a, network(X).data, rtol=1e-12, atol=1e-12)


ERRORS = {
    "channels": (nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), r"Conv2d\(1, 4.*'0'.*\(4, 3, 7, 6\).*1 channels"),
    "kernel": (nn.Sequential(nn.ReLU(), nn.Conv2d(3, 4, 9)), r"'1'.*\(7, 6\) pixels.*at least \(9, 9\)"),
    "norm": (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(3)), r"BatchNorm2d\(3.*'1'.*samples x 3 channels"),
    "residual": (nn.Residual(nn.Conv2d(3, 3, 3)), r"gives shape \(4, 3, 5, 4\).*\(4, 3, 7, 6\)"),
    "residual_norm": (
        nn.Residual(nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3))),
        r"\(4, 3, 5, 4\).*\(4, 3, 7, 6\)",
    ),
    "transpose": (nn.ConvTranspose2d(2, 3, 3), r"expected \(samples, 2 channels, height, width\)"),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", ERRORS)
def test_misfits_name_the_layer(case, training):
    module, message = ERRORS[case]
    module.double().train(training)
    with pytest.raises(ValueError, match=message), nn.enable_grad() if training else nn.no_grad():
        module(X)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3, 4, 3), {"groups": 2}, "multiples of groups"),
        ((0, 4, 3), {}, "multiples of groups"),
        ((3, 4, 0), {}, "kernel_size: expected an integer from 1 on"),
        ((3, 4, (3, 3, 3)), {}, "kernel_size"),
        ((3, 4, 3), {"stride": 0}, "stride: expected"),
        ((3, 4, 3), {"padding": -1}, "padding: expected"),
        ((3, 4, 3), {"padding": "half"}, "'same', 'valid' or integers"),
        ((3, 4, 3), {"padding": "same", "stride": 2}, "'same' needs stride 1"),
        ((3, 4, 3), {"padding_mode": "mirror"}, "padding_mode must be one of"),
        ((3, 4, 3.0), {}, "kernel_size: expected an integer"),
        ((3, 4, None), {}, "kernel_size: expected an integer"),
    ],
)
def test_bad_arguments(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        nn.Conv2d(*arguments, **options)


def test_bad_arguments_of_transposed_convolutions():
    with pytest.raises(ValueError, match="padding must be integers"):
        nn.ConvTranspose2d(3, 4, 3, padding="same")
    with pytest.raises(ValueError, match="output_padding must be less than"):
        nn.ConvTranspose2d(3, 4, 3, output_padding=1)
    with pytest.raises(ValueError, match="output_padding must be less than the stride"):
        F.conv_transpose2d(X, nn.Tensor(np.ones((3, 4, 3, 3))), output_padding=1, dilation=2)


def test_windows_larger_than_the_image():
    x = nn.Tensor(X[:, :, :1, :1])
    np.testing.assert_array_equal(F.max_pool2d(x, 2, ceil_mode=True).data, x.data)
    np.testing.assert_array_equal(F.avg_pool2d(x, 2, ceil_mode=True).data, x.data)
    with pytest.raises(ValueError, match="larger than the input"):
        F.max_pool2d(x, 2)


def test_a_batch_of_none():
    network = nn.Sequential(*block(), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 42, 2)).eval().double()
    with nn.no_grad():
        assert network(X[:0]).shape == (0, 2)
    x = nn.Tensor(X[:0], requires_grad=True)
    y = nn.Conv2d(3, 4, 3, dtype=np.float64)(x)
    y.sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (2, 3, 0, 4)])
def test_batch_norm_of_no_pixels(shape):
    norm = nn.BatchNorm2d(3).eval()
    x = nn.Tensor(np.zeros(shape, np.float32), requires_grad=True)
    y = norm(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == shape
    with pytest.raises(ValueError, match="more than one value per channel"):
        norm.train()(x)


def test_types_that_differ_are_named():
    with pytest.raises(TypeError, match="must have one type, got float32, float64"):
        nn.Conv2d(3, 4, 3)(X)
    layer = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    for mode in (nn.enable_grad, nn.no_grad):
        with pytest.raises(TypeError, match=r"expected tensors of float32 or float64, got .*uint8"), mode():
            layer(np.zeros((1, 3, 5, 5), np.uint8))


def test_a_failed_pass_counts_no_batch():
    norm = nn.BatchNorm2d(3)
    with pytest.raises(TypeError):
        norm(X)
    assert norm.num_batches_tracked.item() == 0


def test_constant_statistics_pass_no_infinity_on():
    x = X.copy()
    x[0, 0, 2, 2], x[1, 1, 0, 0] = np.inf, np.nan
    inputs = nn.Tensor(x, requires_grad=True)
    norm = wake(nn.BatchNorm2d(3)).eval()
    norm(inputs).sum().backward()
    scale = norm.weight.data / np.sqrt(norm.running_var.data + norm.eps)
    np.testing.assert_allclose(inputs.grad, np.broadcast_to(scale[:, None, None], x.shape), rtol=1e-12)


def test_a_bias_of_any_memory():
    for layer, x in ((nn.Conv2d(3, 4, 3), X), (nn.ConvTranspose2d(3, 4, 3), X), (nn.Linear(6, 4), X)):
        layer.double()
        expected = layer(x).data
        layer.bias = nn.Parameter(np.repeat(layer.bias.data, 2)[::2])
        assert not layer.bias.data.flags.c_contiguous
        np.testing.assert_array_equal(layer(x).data, expected)


def test_strides_beyond_the_image():
    for groups in (1, 3):
        x = nn.Tensor(X, requires_grad=True)
        layer = nn.Conv2d(3, 3, 3, stride=5000, padding=1, groups=groups, dtype=np.float64)
        layer(x).sum().backward()
        near = nn.Tensor(X, requires_grad=True)
        F.conv2d(near, layer.weight, layer.bias, 1, 1, 1, groups)[:, :, :1, :1].sum().backward()
        np.testing.assert_allclose(x.grad, near.grad, rtol=1e-12, atol=1e-12)


def test_layers_in_evaluation_mode_stay_so():
    network = nn.Sequential(*block(), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 42, 2))
    network[1].eval()
    before = network[1].running_mean.data.copy()
    nn.fit(
        network,
        X.astype(np.float32),
        np.array([0, 1, 0, 1]),
        nn.CrossEntropyLoss(),
        nn.optim.SGD(network.parameters()),
        2,
    )
    np.testing.assert_array_equal(network[1].running_mean.data, before)
    network.train()
    network[1].eval()
    predictor.outputs(network, X)
    assert [m.training for m in network] == [True, False, True, True, True]
    with pytest.raises(ValueError, match="expected samples, got none"):
        predictor.outputs(network, X[:0])


@pytest.mark.parametrize("layout", ["first", "last", "strided", "reversed"])
def test_any_memory_layout(layout):
    x = {
        "first": X,
        "last": np.ascontiguousarray(X.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
        "strided": np.repeat(X, 2, axis=3)[..., ::2],
        "reversed": X[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1],
    }[layout]
    x.flags.writeable = False
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, rng=0), nn.GELU(), nn.Dropout(0.0), nn.Flatten(), nn.Linear(80, 3, rng=1)
    ).double()
    inputs = nn.Tensor(x, requires_grad=True)
    network(inputs).sum().backward()
    plain = nn.Tensor(X, requires_grad=True)
    network(plain).sum().backward()
    np.testing.assert_allclose(inputs.grad, plain.grad, rtol=1e-12)
    np.testing.assert_allclose(network(inputs).data, network(plain).data, rtol=1e-12)
