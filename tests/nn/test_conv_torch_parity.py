"""Convolutions and networks of them beside PyTorch's: values and gradients, at assert_close's own tolerances."""

import itertools

import numpy as np
import pytest

from fastml import nn
from fastml.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch, the reference of these tests, is not installed")
TF = torch.nn.functional

DTYPES = [np.float32, np.float64]
KERNELS = [(1, 1), (3, 3), (2, 5)]
STRIDES = [1, (2, 3)]
PADDINGS = [0, (2, 1)]
DILATIONS = [1, (2, 1)]
GROUPS = [(3, 4, 1), (4, 6, 2), (5, 5, 5), (4, 8, 4)]  # channels in, out, groups


def normals(dtype, seed, *shape):
    # Small integers and halves: sums of their products are exact, in any order.
    return (np.random.default_rng(seed).integers(-6, 7, shape) / 2).astype(dtype)


def close(ours, theirs):
    torch.testing.assert_close(torch.from_numpy(np.array(ours, order="C")), theirs.detach().contiguous())


def compare(ours, theirs, arrays):
    mine = [nn.Tensor(a.copy(), requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, z = ours(*mine), theirs(*other)
    close(y.data, z)
    gradient = normals(y.dtype, 9, *y.shape)
    y.backward(gradient)
    z.backward(torch.from_numpy(gradient))
    for a, b in zip(mine, other):
        close(a.grad, b.grad)


def compare_under(name, settings, x, w, b):
    ours, theirs = getattr(F, name), getattr(TF, name)
    compare(lambda *inputs: ours(*inputs, *settings), lambda *inputs: theirs(*inputs, *settings), [x, w, b])


@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
@pytest.mark.parametrize("groups", GROUPS, ids=str)
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_conv2d(kernel, groups, dtype):
    c, o, g = groups
    x, w, b = normals(dtype, 0, 2, c, 9, 11), normals(dtype, 1, o, c // g, *kernel), normals(dtype, 2, o)
    for stride, padding, dilation in itertools.product(STRIDES, PADDINGS, DILATIONS):
        compare_under("conv2d", (stride, padding, dilation, g), x, w, b)


@pytest.mark.parametrize("kind", ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "gelu", "silu", "softplus"])
def test_activation_in_the_same_pass(kind):
    parameter = {"leaky_relu": 0.2, "elu": 1.0, "softplus": 1.0}.get(kind, 0.0)
    rest = {"leaky_relu": (0.2,)}.get(kind, ())
    x, w = normals(np.float64, 0, 2, 4, 9, 11), normals(np.float64, 1, 6, 2, 3, 3)
    compare(
        lambda x, w: F.conv2d(x, w, None, 1, 1, 1, 2, kind, parameter),
        lambda x, w: getattr(TF, kind)(TF.conv2d(x, w, None, 1, 1, 1, 2), *rest),
        [x, w],
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
@pytest.mark.parametrize("groups", GROUPS, ids=str)
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_conv_transpose2d(kernel, groups, dtype):
    c, o, g = groups
    x, w, b = normals(dtype, 0, 2, c, 6, 7), normals(dtype, 1, c, o // g, *kernel), normals(dtype, 2, o)
    for stride, dilation, more in itertools.product(STRIDES, DILATIONS, [0, 1]):
        padding = (kernel[0] // 2, kernel[1] // 2)
        if more >= max(np.min(stride), np.min(dilation)):
            continue
        settings = (stride, padding, more, g, dilation)
        compare_under("conv_transpose2d", settings, x, w, b)


@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_conv1d(dtype):
    for (c, o, g), stride, padding, dilation in itertools.product(GROUPS, [1, 2], [0, 2], [1, 3]):
        x, w, b = normals(dtype, 0, 3, c, 17), normals(dtype, 1, o, c // g, 3), normals(dtype, 2, o)
        compare_under("conv1d", (stride, padding, dilation, g), x, w, b)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_pad(mode):
    x = normals(np.float64, 0, 2, 3, 4, 5)
    compare(lambda x: F.pad(x, (1, 2, 0, 3), mode), lambda x: TF.pad(x, (1, 2, 0, 3), mode), [x])
    if mode == "constant":
        compare(lambda x: F.pad(x, (1, 2), mode, 2.5), lambda x: TF.pad(x, (1, 2), mode, 2.5), [x])


LAYERS = {
    "same": ("Conv2d", (3, 4, (3, 4)), {"padding": "same"}, (2, 3, 6, 7)),
    "same_dilated": ("Conv2d", (3, 4, 3), {"padding": "same", "dilation": 2}, (2, 3, 6, 7)),
    "valid": ("Conv2d", (3, 4, 3), {"padding": "valid", "stride": 2}, (2, 3, 6, 7)),
    "reflect": ("Conv2d", (3, 4, 3), {"padding": (1, 2), "padding_mode": "reflect"}, (2, 3, 6, 7)),
    "circular": ("Conv2d", (3, 4, 3), {"padding": 1, "padding_mode": "circular", "bias": False}, (2, 3, 6, 7)),
    "unbatched": ("Conv2d", (3, 4, 3), {}, (3, 6, 7)),
    "conv1d": ("Conv1d", (3, 4, 3), {"padding": "same"}, (2, 3, 9)),
    "replicate1d": ("Conv1d", (3, 4, 3), {"padding": 2, "padding_mode": "replicate"}, (2, 3, 9)),
    "transpose": ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "output_padding": 1, "groups": 2}, (2, 4, 5, 4)),
    "batch_norm": ("BatchNorm2d", (3,), {}, (4, 3, 5, 6)),
    "batch_norm_mean": ("BatchNorm2d", (3,), {"momentum": None, "affine": False}, (4, 3, 5, 6)),
    "batch_norm_batch": ("BatchNorm2d", (3,), {"track_running_stats": False}, (4, 3, 5, 6)),
}


@pytest.mark.parametrize("case", LAYERS)
def test_layers(case):
    name, arguments, options, shape = LAYERS[case]
    ours = (
        getattr(nn, name)(*arguments, **options, rng=0)
        if "Norm" not in name
        else getattr(nn, name)(*arguments, **options)
    )
    theirs = getattr(torch.nn, name)(*arguments, **options)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    ours.double(), theirs.double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        for p in (*ours.parameters(), *theirs.parameters()):
            p.grad = None
        x = normals(np.float64, 5, *shape)
        compare(ours, theirs, [x])
        for a, b in zip(ours.parameters(), theirs.parameters()):
            close(a.grad, b.grad)
        for (name_a, a), (name_b, b) in zip(ours.state_dict().items(), theirs.state_dict().items()):
            assert name_a == name_b
            close(a, b)


def twin(module):
    """Return PyTorch's module of the same parts."""
    t = torch.nn
    if isinstance(module, (nn.Sequential, nn.DenseBlock)):
        parts = [twin(m) for m in module.children()]
        return t.Sequential(*parts) if isinstance(module, nn.Sequential) else _Dense(parts)
    if isinstance(module, nn.Residual):
        return _Sum(twin(module.module), twin(module.shortcut) if module.shortcut else t.Identity())
    if isinstance(module, nn.Conv2d):
        return t.Conv2d(
            module.in_channels, module.out_channels, module.kernel_size, module.stride, module.padding,
            module.dilation, module.groups, module.bias is not None,
        )  # fmt: skip
    if isinstance(module, nn.Linear):
        return t.Linear(module.in_features, module.out_features)
    if isinstance(module, nn.BatchNorm2d):
        return t.BatchNorm2d(module.num_features)
    if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
        return getattr(t, type(module).__name__)(module.kernel_size, ceil_mode=module.ceil_mode)
    return {"ReLU": t.ReLU, "Flatten": t.Flatten, "AdaptiveAvgPool2d": lambda: t.AdaptiveAvgPool2d(1)}[
        type(module).__name__
    ]()


class _Sum(torch.nn.Module):
    def __init__(self, module, shortcut):
        super().__init__()
        self.module, self.shortcut = module, shortcut

    def forward(self, x):
        return TF.relu(self.module(x) + self.shortcut(x))


class _Dense(torch.nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = torch.nn.ModuleList(parts)

    def forward(self, x):
        for part in self.parts:
            x = torch.cat([x, part(x)], 1)
        return x


@pytest.mark.parametrize("name", nn.models.__all__)
def test_models_take_the_same_step(name):
    build = getattr(nn.models, name)
    channels = 1 if name in ("lenet", "vgg") else 3
    size = {"lenet": 28, "resnet18": 8}.get(name, 16)
    ours = build(5, channels, rng=0).double()
    theirs = twin(ours).double()
    assert len(list(ours.parameters())) == len(list(theirs.parameters()))
    with torch.no_grad():
        for a, b in zip(ours.parameters(), theirs.parameters()):
            b.copy_(torch.from_numpy(a.data))
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, channels, size, size)), rng.integers(0, 5, 6)
    optimizer = nn.optim.SGD(ours.parameters(), lr=0.1, momentum=0.9)
    other = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        optimizer.zero_grad(), other.zero_grad()
        loss, expected = (
            nn.cross_entropy(ours(x), y),
            TF.cross_entropy(theirs(torch.from_numpy(x)), torch.from_numpy(y)),
        )
        loss.backward(), expected.backward()
        assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-9)
        optimizer.step(), other.step()
    for a, b in zip(ours.parameters(), theirs.parameters()):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-6, atol=1e-7)
    ours.eval(), theirs.eval()
    with nn.no_grad(), torch.no_grad():
        np.testing.assert_allclose(ours(x).data, theirs(torch.from_numpy(x)).numpy(), rtol=1e-6, atol=1e-6)
