"""Pooling, upsampling and GroupNorm beside PyTorch's: values and gradients at assert_close's own tolerances."""

import itertools

import numpy as np
import pytest

from fastml import nn
from fastml.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch, the reference of these tests, is not installed")
TF = torch.nn.functional

RNG = np.random.default_rng(0)
# Steps of a half: ties are plenty.
SHAPES = {
    "odd": np.round(RNG.normal(size=(2, 3, 7, 9)) * 3) / 2,
    "even": np.round(RNG.normal(size=(1, 17, 8, 8)) * 3) / 2,
    "single": np.round(RNG.normal(size=(3, 5, 11)) * 3) / 2,
}
SEQUENCES = SHAPES["single"]
DTYPES = [np.float32, np.float64]
KERNELS = [2, 3, (3, 2)]
STRIDES = [None, 1, (2, 1)]


def compare(ours, theirs, x, dtype, case, parameters=()):
    mine = [nn.Tensor(v.astype(dtype), requires_grad=True) for v in (x, *parameters)]
    other = [torch.tensor(v.astype(dtype), requires_grad=True) for v in (x, *parameters)]
    y, z = ours(*mine), theirs(*other)
    torch.testing.assert_close(torch.from_numpy(np.array(y.data)), z.detach(), msg=lambda m: f"{case}: {m}")
    gradient = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    y.backward(gradient)
    z.backward(torch.from_numpy(gradient))
    for a, b in zip(mine, other):
        torch.testing.assert_close(torch.from_numpy(a.grad), b.grad, msg=lambda m: f"gradient of {case}: {m}")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_max_pools(shape, dtype):
    for case in itertools.product(KERNELS, STRIDES, [0, 1], [1, 2, (1, 3)], [False, True]):
        kernel, stride, padding, dilation, ceil_mode = case
        if shape == "single" and dilation != 1 and kernel != 2:
            continue  # larger than the image
        compare(
            lambda x: F.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode),  # noqa: B023
            lambda x: TF.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode),  # noqa: B023
            SHAPES[shape],
            dtype,
            case,
        )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_avg_pools(shape, dtype):
    for case in itertools.product(KERNELS, STRIDES, [0, 1], [False, True], [False, True], [None, 5]):
        compare(lambda x: F.avg_pool2d(x, *case), lambda x: TF.avg_pool2d(x, *case), SHAPES[shape], dtype, case)  # noqa: B023


@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_pools_of_sequences(dtype):
    for case in itertools.product([2, 3], [None, 1, 2], [0, 1], [1, 2], [False, True]):
        compare(lambda x: F.max_pool1d(x, *case), lambda x: TF.max_pool1d(x, *case), SEQUENCES, dtype, case)  # noqa: B023
    for case in itertools.product([2, 3], [None, 1, 2], [0, 1], [False, True], [False, True]):
        compare(lambda x: F.avg_pool1d(x, *case), lambda x: TF.avg_pool1d(x, *case), SEQUENCES, dtype, case)  # noqa: B023


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_adaptive_pools(shape, dtype):
    x = SHAPES[shape]
    for size in (1, 2, 3, (3, None), (5, 4), 10, (13, 11)):
        compare(lambda x: F.adaptive_avg_pool2d(x, size), lambda x: TF.adaptive_avg_pool2d(x, size), x, dtype, size)  # noqa: B023
        compare(lambda x: F.adaptive_max_pool2d(x, size), lambda x: TF.adaptive_max_pool2d(x, size), x, dtype, size)  # noqa: B023


SIZES = [1, 2, (3, 5), 10, (14, 18), (7, 9), 8, (29, 31)]
FACTORS = [2, 3, 1.5, 0.5, (0.7, 2.3), 1.1, (1.1, 2), (2.1, 2.05), (2.1, 1.7), 2.7]


@pytest.mark.parametrize("shape", ["odd", "even"])
@pytest.mark.parametrize(("mode", "corners"), [("nearest", None), ("bilinear", None), ("bilinear", True)])
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_upsampling(shape, mode, corners, dtype):
    options = {"mode": mode, "align_corners": corners}
    cases = [{"size": s} for s in SIZES]
    cases += [{"scale_factor": f, "recompute_scale_factor": r} for f in FACTORS for r in (None, True)]
    for case in cases:
        compare(
            lambda x: F.interpolate(x, **case, **options),  # noqa: B023
            lambda x: TF.interpolate(x, **case, **options),  # noqa: B023
            SHAPES[shape],
            dtype,
            case,
        )


@pytest.mark.parametrize(("mode", "corners"), [("nearest", None), ("linear", None), ("linear", True)])
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_upsampling_of_sequences(mode, corners, dtype):
    options = {"mode": mode, "align_corners": corners}
    for size in (1, 3, 11, 22, 25):
        compare(
            lambda x: F.interpolate(x, size, **options),  # noqa: B023
            lambda x: TF.interpolate(x, size, **options),  # noqa: B023
            SEQUENCES,
            dtype,
            size,
        )


@pytest.mark.parametrize("shape", [(3, 6), (3, 6, 5), (2, 6, 5, 4), (2, 6, 2, 3, 2)])
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_group_norms(shape, groups, dtype):
    rng = np.random.default_rng(2)
    compare(
        lambda x, w, b: F.group_norm(x, groups, w, b, eps=1e-3),
        lambda x, w, b: TF.group_norm(x, groups, w, b, eps=1e-3),
        rng.normal(size=shape),
        dtype,
        (shape, groups),
        rng.normal(size=(2, 6)),
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_instance_norm_is_a_group_norm(dtype):
    x = np.random.default_rng(2).normal(size=(2, 6, 5, 4))
    compare(lambda x: F.group_norm(x, 6), TF.instance_norm, x, dtype, "instance norm")


LAYERS = {
    "MaxPool2d": (lambda m: m.MaxPool2d(3, 2, 1), SHAPES["odd"]),
    "MaxPool1d": (lambda m: m.MaxPool1d(2), SEQUENCES),
    "AvgPool2d": (lambda m: m.AvgPool2d(2, padding=1, count_include_pad=False), SHAPES["odd"]),
    "AvgPool1d": (lambda m: m.AvgPool1d(3, 2, ceil_mode=True), SEQUENCES),
    "AdaptiveAvgPool2d": (lambda m: m.AdaptiveAvgPool2d((2, None)), SHAPES["odd"]),
    "AdaptiveMaxPool2d": (lambda m: m.AdaptiveMaxPool2d(3), SHAPES["odd"]),
    "Upsample": (lambda m: m.Upsample(scale_factor=2), SHAPES["odd"]),
    "Upsample_bilinear": (lambda m: m.Upsample((9, 10), mode="bilinear", align_corners=True), SHAPES["odd"]),
    "GroupNorm": (lambda m: m.GroupNorm(3, 6), RNG.normal(size=(2, 6, 4, 4))),
    "GroupNorm_plain": (lambda m: m.GroupNorm(2, 6, affine=False), RNG.normal(size=(2, 6, 4, 4))),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_layers(name, dtype):
    build, x = LAYERS[name]
    theirs = build(torch.nn).to(torch.float32 if dtype == np.float32 else torch.float64)
    ours = build(nn).astype(dtype)
    assert set(ours.state_dict()) == set(theirs.state_dict())
    compare(ours, theirs, x, dtype, name)
    for p, q in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(torch.from_numpy(p.grad), q.grad)


@pytest.mark.parametrize("layout", ["first", "last"])
def test_nan_and_ties_as_pytorch(layout):
    x = np.round(RNG.normal(size=(2, 9, 8, 8)))
    x[RNG.random(x.shape) < 0.1] = np.nan
    other = torch.tensor(x)
    if layout == "last":
        other = other.to(memory_format=torch.channels_last)
    other.requires_grad_()
    mine = nn.Tensor(x, requires_grad=True)
    y, z = F.max_pool2d(mine, 3, 2, 1), TF.max_pool2d(other, 3, 2, 1)
    torch.testing.assert_close(torch.from_numpy(np.array(y.data)), z.detach(), equal_nan=True)
    y.sum().backward()
    z.sum().backward()
    torch.testing.assert_close(torch.from_numpy(mine.grad), other.grad)
