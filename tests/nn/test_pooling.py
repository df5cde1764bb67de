"""Pooling, upsampling and GroupNorm: values and gradients against NumPy, layouts, and input that does not fit."""

import itertools

import numpy as np
import pytest

from fastml import config_context, nn
from fastml.nn import functional as F

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(-3, 4, (2, 3, 7, 9)).astype(float)
DTYPES = [np.float32, np.float64]


def padded(x, kernel, stride, padding, dilation, ceil_mode):
    """Return the images with margins of NaN, wide enough for all windows, and how many windows there are."""
    sizes, widths = [], []
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation):
        room = n + 2 * p - d * (k - 1) - 1
        size = (-(-room // s) if ceil_mode else room // s) + 1
        if (size - 1) * s >= n + p:
            size -= 1
        sizes.append(size)
        widths.append((p, max((size - 1) * s + d * (k - 1) + 1 - n - p, 0)))
    return np.pad(x, ((0, 0), (0, 0), *widths), constant_values=np.nan), sizes


def windows(x, kernel, stride, padding, dilation, ceil_mode):
    """Yield (row, column, values of the window), NaN where a place is outside."""
    framed, sizes = padded(x, kernel, stride, padding, dilation, ceil_mode)
    for i, j in itertools.product(*map(range, sizes)):
        rows = slice(i * stride[0], i * stride[0] + dilation[0] * (kernel[0] - 1) + 1, dilation[0])
        cols = slice(j * stride[1], j * stride[1] + dilation[1] * (kernel[1] - 1) + 1, dilation[1])
        yield i, j, framed[:, :, rows, cols]


GRID = list(itertools.product([(2, 2), (3, 2)], [(1, 1), (2, 3)], [(0, 0), (1, 1)], [(1, 1), (2, 1)], [False, True]))


@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_maxima_of_windows(dtype):
    for kernel, stride, padding, dilation, ceil_mode in GRID:
        y = F.max_pool2d(IMAGES.astype(dtype), kernel, stride, padding, dilation, ceil_mode)
        assert y.dtype == dtype
        expected = {(i, j): np.nanmax(w, axis=(2, 3)) for i, j, w in
                    windows(IMAGES, kernel, stride, padding, dilation, ceil_mode)}  # fmt: skip
        assert y.shape[2] * y.shape[3] == len(expected)
        for (i, j), most in expected.items():
            np.testing.assert_array_equal(y.data[:, :, i, j], most)


@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
@pytest.mark.parametrize("divisor", [None, 7, -2])
@pytest.mark.parametrize("count_margin", [True, False])
def test_means_of_windows(dtype, divisor, count_margin):
    for kernel, stride, padding, dilation, ceil_mode in GRID:
        if dilation != (1, 1):
            continue
        y = F.avg_pool2d(IMAGES.astype(dtype), kernel, stride, padding, ceil_mode, count_margin, divisor)
        assert y.dtype == dtype
        places = np.pad(np.ones((1, 1, 7, 9)), ((0, 0), (0, 0), *[(p, p) for p in padding]))
        counts = {
            (i, j): np.isfinite(w).sum() for i, j, w in windows(places, kernel, stride, (0, 0), dilation, ceil_mode)
        }
        for i, j, w in windows(IMAGES, kernel, stride, padding, dilation, ceil_mode):
            inside = np.isfinite(w[0, 0]).sum()
            count = divisor or (counts[i, j] if count_margin else inside)
            np.testing.assert_allclose(y.data[:, :, i, j], np.nansum(w, axis=(2, 3)) / count, rtol=1e-6)


def test_the_first_of_equal_values_gets_the_gradient():
    x = nn.Tensor([[[[1.0, 2, 2], [2, 0, 2], [0, 0, 0]]]], requires_grad=True)
    F.max_pool2d(x, 2, stride=1).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], [[0, 2, 0], [1, 0, 1], [0, 0, 0]])


def test_nan_wins_and_gets_the_gradient():
    x = nn.Tensor(np.array([[[[1, np.nan, 5, 7], [9, 3, 6, 4]]]], dtype=np.float32), requires_grad=True)
    y = F.max_pool2d(x, 2)
    np.testing.assert_array_equal(y.data, [[[[np.nan, 7]]]])
    y.backward(np.array([[[[2.0, 3]]]], dtype=np.float32))
    np.testing.assert_array_equal(x.grad[0, 0], [[0, 2, 0, 3], [0, 0, 0, 0]])


def test_images_of_minus_infinity():
    x = nn.Tensor(np.full((1, 1, 3, 3), -np.inf), requires_grad=True)
    y = F.max_pool2d(x, 2, 1, 1)
    assert (y.data == -np.inf).all()
    y.sum().backward()
    assert x.grad.sum() == 16  # a pixel for every window, none in the margin


def test_a_window_without_a_pixel_is_minus_infinity():
    """Two places, one on either side of the only pixel."""
    x = nn.Tensor(np.ones((1, 2, 1, 1)), requires_grad=True)
    y = F.max_pool2d(x, 2, 1, 1, dilation=2)
    np.testing.assert_array_equal(y.data, np.full((1, 2, 1, 1), -np.inf))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, np.zeros((1, 2, 1, 1)))


def test_windows_of_many_places():
    x = nn.Tensor(RNG.permutation(2 * 40 * 40).reshape(1, 2, 40, 40).astype(float), requires_grad=True)
    y = F.max_pool2d(x, 20)
    blocks = x.data.reshape(1, 2, 2, 20, 2, 20)
    np.testing.assert_array_equal(y.data, blocks.max(axis=(3, 5)))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, np.isin(x.data, y.data))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, (3, None), (None, 4), (11, 1)])
@pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
def test_adaptive_pools(size, dtype):
    mean, most = F.adaptive_avg_pool2d(IMAGES.astype(dtype), size), F.adaptive_max_pool2d(IMAGES.astype(dtype), size)
    rows, cols = [
        given if s is None else s for s, given in zip(size if isinstance(size, tuple) else (size,) * 2, (7, 9))
    ]
    assert mean.shape == most.shape == (2, 3, rows, cols)
    for i, j in itertools.product(range(rows), range(cols)):
        down = slice(int(np.floor(i * 7 / rows)), int(np.ceil((i + 1) * 7 / rows)))
        across = slice(int(np.floor(j * 9 / cols)), int(np.ceil((j + 1) * 9 / cols)))
        window = IMAGES[:, :, down, across]
        np.testing.assert_allclose(mean.data[:, :, i, j], window.mean(axis=(2, 3)), rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(most.data[:, :, i, j], window.max(axis=(2, 3)))


def test_mean_of_a_constant_is_the_constant():
    """Sums are divided by the number of values: a product with 1 / 49 would not be exact."""
    x = np.ones((1, 20, 7, 7), np.float32)
    np.testing.assert_array_equal(F.adaptive_avg_pool2d(x, 1).data, np.ones((1, 20, 1, 1)))
    np.testing.assert_array_equal(F.avg_pool2d(x, 7).data, np.ones((1, 20, 1, 1)))


@pytest.mark.parametrize("factor", [2, 3, (1, 4)])
def test_nearest_pixels_are_repeated(factor):
    rows, cols = factor if isinstance(factor, tuple) else (factor, factor)
    y = nn.Upsample(scale_factor=factor)(IMAGES)
    np.testing.assert_array_equal(y.data, IMAGES.repeat(rows, axis=2).repeat(cols, axis=3))


def test_fewer_pixels_are_some_of_them():
    np.testing.assert_array_equal(F.interpolate(IMAGES, scale_factor=0.5).data, IMAGES[:, :, 0:6:2, 0:8:2])
    np.testing.assert_array_equal(F.interpolate(IMAGES, size=(3, 9)).data, IMAGES[:, :, [0, 2, 4]])


def test_linear_with_corners_keeps_them():
    y = F.interpolate(IMAGES, size=(13, 17), mode="bilinear", align_corners=True).data
    np.testing.assert_allclose(y[:, :, ::2, ::2], IMAGES, atol=1e-12)
    np.testing.assert_allclose(y[:, :, 1::2], (y[:, :, :-1:2] + y[:, :, 2::2]) / 2, atol=1e-12)


def test_linear_between_edges():
    """Twice as many pixels lie at quarters of the old ones; those beyond the outer centres take their values."""
    y = F.interpolate(IMAGES[:, :, 0], scale_factor=2, mode="linear").data
    x = np.pad(IMAGES[:, :, 0], ((0, 0), (0, 0), (1, 1)), mode="edge")
    np.testing.assert_allclose(y[..., 0::2], 0.25 * x[..., :-2] + 0.75 * x[..., 1:-1], atol=1e-12)
    np.testing.assert_allclose(y[..., 1::2], 0.75 * x[..., 1:-1] + 0.25 * x[..., 2:], atol=1e-12)


def test_infinite_pixels_do_not_spread():
    x = np.array([[[1.0, np.inf, 3.0]]])
    y = F.interpolate(x, size=5, mode="linear", align_corners=True).data
    np.testing.assert_array_equal(y, [[[1, np.inf, np.inf, np.inf, 3]]])


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 5), (4, 6, 5, 3), (2, 6, 2, 3, 2)])
def test_group_norm(groups, shape):
    if len(shape) == 2 and groups == 6:
        shape = (4, 12)
    x, (weight, bias) = RNG.normal(size=shape) + 50, RNG.normal(size=(2, shape[1]))
    y = F.group_norm(x, groups, nn.Tensor(weight), nn.Tensor(bias), eps=1e-3)
    grouped = x.reshape(shape[0], groups, -1)
    normal = (grouped - grouped.mean(axis=2, keepdims=True)) / np.sqrt(grouped.var(axis=2, keepdims=True) + 1e-3)
    ones = (1,) * (len(shape) - 2)
    expected = normal.reshape(shape) * weight.reshape(-1, *ones) + bias.reshape(-1, *ones)
    np.testing.assert_allclose(y.data, expected, rtol=1e-10, atol=1e-10)


def test_group_norm_far_from_zero_keeps_its_digits():
    x = RNG.normal(size=(2, 4, 16, 16)).astype(np.float32) + np.float32(4096)
    exact = x.astype(np.float64).reshape(2, 2, -1)
    expected = (exact - exact.mean(axis=2, keepdims=True)) / exact.std(axis=2, keepdims=True)
    # The mean is rounded to float32, whose numbers around 4096 are 2^-11 apart.
    np.testing.assert_allclose(F.group_norm(x, 2, eps=0.0).data.reshape(expected.shape), expected, atol=2.0**-11)


LAYERS = {
    "max": (nn.MaxPool2d(2), (2, 3, 8, 6)),
    "max_1d": (nn.MaxPool1d(3, 2, 1), (2, 3, 8)),
    "avg": (nn.AvgPool2d((2, 3), padding=1, ceil_mode=True), (2, 3, 8, 6)),
    "avg_1d": (nn.AvgPool1d(2), (2, 3, 8)),
    "adaptive_avg": (nn.AdaptiveAvgPool2d((3, None)), (2, 3, 8, 6)),
    "adaptive_max": (nn.AdaptiveMaxPool2d(2), (2, 3, 8, 6)),
}
BATCHED_ONLY = {
    "upsample": (nn.Upsample(scale_factor=1.5, mode="bilinear"), (2, 4, 8, 6)),
    "upsample_1d": (nn.Upsample(size=7), (2, 4, 8)),
    "group_norm": (nn.GroupNorm(2, 4, dtype=np.float64), (2, 4, 8, 6)),
}
ALL_LAYERS = {**LAYERS, **BATCHED_ONLY}


@pytest.mark.parametrize("name", LAYERS)
def test_one_image_is_a_batch_of_one(name):
    layer, shape = LAYERS[name]
    x = RNG.normal(size=shape)
    whole, single = nn.Tensor(x, requires_grad=True), nn.Tensor(x[1], requires_grad=True)
    y, one = layer(whole), layer(single)
    assert one.shape == y.shape[1:]
    np.testing.assert_array_equal(one.data, y.data[1])
    y.sum().backward()
    one.sum().backward()
    np.testing.assert_array_equal(single.grad, whole.grad[1])


@pytest.mark.parametrize("name", ALL_LAYERS)
def test_memory_layouts_give_the_same(name):
    """Images come with channels first, last, or as every second pixel of others; results have channels last."""
    layer, shape = ALL_LAYERS[name]
    x = RNG.normal(size=shape)
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    spaced = np.repeat(x, 2, axis=-1)[..., ::2]
    results, gradients = [], []
    for array in (x, last, spaced):
        tensor = nn.Tensor(array, requires_grad=True)
        y = layer(tensor)
        g = np.cos(np.arange(y.size)).reshape(y.shape)
        y.backward(g if array is last else np.moveaxis(np.ascontiguousarray(np.moveaxis(g, 1, -1)), -1, 1))
        assert np.moveaxis(y.data, 1, -1).flags.c_contiguous
        results.append(y.data)
        gradients.append(tensor.grad)
    for y, g in zip(results[1:], gradients[1:]):
        np.testing.assert_array_equal(y, results[0])
        np.testing.assert_array_equal(g, gradients[0])


@pytest.mark.parametrize("name", ALL_LAYERS)
def test_batches_of_no_image(name):
    layer, shape = ALL_LAYERS[name]
    x = nn.Tensor(np.zeros((0, *shape[1:])), requires_grad=True)
    y = layer(x)
    assert y.shape == (0, *layer(np.zeros(shape)).shape[1:])
    y.sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("name", ALL_LAYERS)
def test_threads_change_nothing(name):
    layer, shape = ALL_LAYERS[name]
    x = RNG.normal(size=(3, shape[1], *[16 * n for n in shape[2:]]))
    results = []
    for n_threads in (1, 2):
        with config_context(n_threads=n_threads):
            tensor = nn.Tensor(x, requires_grad=True)
            y = layer(tensor)
            (y * y).sum().backward()
        results.append((y.data, tensor.grad))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_places_of_maxima_are_kept_for_gradients_only():
    x = nn.Tensor(IMAGES, requires_grad=True)
    assert F.max_pool2d(x, 2)._record.saved.dtype == np.uint8
    assert F.max_pool2d(x, 7, padding=(0, 3))._record.saved.dtype == np.uint8
    with nn.no_grad():
        np.testing.assert_array_equal(F.max_pool2d(x, 2).data, F.max_pool2d(IMAGES, 2).data)


BAD = {
    "a window that is too large": (lambda: nn.MaxPool2d(9)(IMAGES), r"window of \(9, 9\).*larger.*\(7, 9\)"),
    "with dilation": (lambda: F.max_pool2d(IMAGES, 3, 1, 1, dilation=5), r"window of \(11, 11\).*\(9, 11\)"),
    "of means": (lambda: nn.AvgPool1d(10)(IMAGES[0]), r"AvgPool1d.*window of \(10,\).*\(9,\)"),
    "too much padding": (lambda: F.max_pool2d(IMAGES, 3, padding=2), r"padding may be half of the kernel.*\(2, 2\)"),
    "of means, too": (lambda: F.avg_pool2d(IMAGES, 2, padding=(0, 2)), "padding may be half of the kernel"),
    "a matrix": (lambda: nn.MaxPool2d(2)(IMAGES[0, 0]), r"MaxPool2d.*\(7, 9\); expected \(samples, channels, height"),
    "a volume": (lambda: F.adaptive_avg_pool2d(IMAGES[np.newaxis], 1), r"\(1, 2, 3, 7, 9\); expected"),
    "images for sequences": (lambda: nn.MaxPool1d(2)(IMAGES), r"\(2, 3, 7, 9\); expected \(samples, channels, length"),
    "no pixels": (lambda: F.adaptive_avg_pool2d(IMAGES[:, :, :0], 1), r"\(2, 3, 0, 9\): channels and pixels"),
    "no channels": (lambda: F.max_pool2d(IMAGES[:, :0], 2), r"\(2, 0, 7, 9\): channels and pixels"),
    "a kernel of nothing": (lambda: nn.MaxPool2d(0), "kernel_size: expected"),
    "a kernel of three": (lambda: nn.MaxPool2d((2, 2, 2)), "kernel_size: expected"),
    "a stride of nothing": (lambda: nn.AvgPool2d(2, stride=0), "stride: expected"),
    "a divisor of 0": (lambda: F.avg_pool2d(IMAGES, 2, divisor_override=0), "divisor_override must not be 0"),
    "an output of nothing": (lambda: nn.AdaptiveAvgPool2d(0), "AdaptiveAvgPool2d: output_size"),
    "an output of three": (lambda: F.adaptive_max_pool2d(IMAGES, (1, 2, 3)), "output_size must be"),
    "an unknown mode": (lambda: nn.Upsample(scale_factor=2, mode="cubic")(IMAGES), "mode must be one of"),
    "a mode of sequences": (lambda: nn.Upsample(scale_factor=2, mode="linear")(IMAGES), "Upsample.*expects.*length"),
    "corners of the nearest": (lambda: F.interpolate(IMAGES, 9, align_corners=True), "align_corners is for linear"),
    "size and factor": (lambda: F.interpolate(IMAGES, 9, 2), "give one of size and scale_factor"),
    "neither": (lambda: F.interpolate(IMAGES), "give one of size and scale_factor"),
    "a factor of a size": (lambda: F.interpolate(IMAGES, 9, recompute_scale_factor=True), "is for a scale_factor"),
    "a negative factor": (lambda: F.interpolate(IMAGES, scale_factor=-1), "scale_factor must be a positive number"),
    "too small a factor": (lambda: F.interpolate(IMAGES, scale_factor=0.1), "leaves nothing"),
    "uneven groups": (lambda: nn.GroupNorm(2, 3), "num_channels must be a multiple of num_groups"),
    "groups of other channels": (lambda: F.group_norm(IMAGES, 2), r"\(2, 3, 7, 9\); its channels must be a multiple"),
    "other channels": (lambda: nn.GroupNorm(2, 4)(IMAGES), r"GroupNorm.*\(2, 3, 7, 9\); expected samples x 4 channels"),
    "one value a group": (lambda: F.group_norm(IMAGES[:1, :, 0, 0], 3), "a group needs more than one value"),
    "a weight of other channels": (
        lambda: F.group_norm(IMAGES, 3, nn.Tensor(np.ones(4)), nn.Tensor(np.ones(3))),
        r"weight of shape \(4,\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_integers_are_refused():
    for function in (lambda x: F.max_pool2d(x, 2), lambda x: F.avg_pool2d(x, 2), lambda x: F.adaptive_avg_pool2d(x, 1)):
        with pytest.raises(TypeError, match="expected tensors of float32 or float64, got int64"):
            function(IMAGES.astype(np.int64))


def test_errors_name_the_layer_in_its_network():
    network = nn.Sequential(nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(4)), nn.Flatten())
    with pytest.raises(nn.ShapeError, match=r"MaxPool2d\(.*\) '0\.1': the window of \(4, 4\)"):
        network(IMAGES)


@pytest.mark.parametrize("name", ALL_LAYERS)
def test_repr_tells_the_options(name):
    layer, _ = ALL_LAYERS[name]
    assert repr(layer).startswith(type(layer).__name__ + "(")
    assert layer.extra_repr() in repr(layer)
