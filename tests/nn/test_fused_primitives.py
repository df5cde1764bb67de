"""Every coarse primitive computes what its plain form does, values and gradients, and what NumPy does."""

import numpy as np
import pytest

from fastml import _core, nn
from fastml.nn import functional as F
from fastml.nn._primitives_fused import Fused
from fastml.nn.tensor import PRIMITIVES, Tensor, apply

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 19)) + 3
COLUMNS = [RNG.normal(size=19), RNG.normal(size=19)]
POSITIONS = RNG.normal(size=(5, 19, 3)) + 3
PICTURES = RNG.normal(size=(4, 3, 2, 19)).transpose(0, 3, 1, 2)
TABLE = RNG.normal(size=(6, 5))
INDEX = np.array([[0, 5, 2], [5, 5, 1]])
CLASSES = RNG.integers(0, 19, 7)
TARGETS = {
    "squared": RNG.normal(size=X.shape),
    "absolute": RNG.normal(size=X.shape),
    "huber": X + RNG.normal(size=X.shape),
    "smooth": X + RNG.normal(size=X.shape),
    "logistic": RNG.random(X.shape),
    "hinge": RNG.choice([-1.0, 1.0], X.shape),
    "poisson": RNG.poisson(3, X.shape).astype(float),
    "poisson_of_log": RNG.poisson(3, X.shape).astype(float),
}
NORM = {"eps": 1e-3}
GIVEN = (RNG.normal(size=19), RNG.random(19) + 0.5)


def loss(kind, reduction="mean", weight=None, positive_weight=None):
    options = {"kind": kind, "target": TARGETS[kind], "parameter": 0.7, "reduction": reduction}
    return "elementwise_loss", [X], {**options, "weight": weight, "positive_weight": positive_weight}


def entropy(target, reduction="mean", weight=None, smoothing=0.0, ignore_index=-100):
    options = {"target": target, "weight": weight, "label_smoothing": smoothing, "ignore_index": ignore_index}
    return "cross_entropy", [X], {**options, "reduction": reduction}


def conv(name, channels, outputs, groups=1, kind="tanh", **more):
    """Images of one size and layout; the transposed convolution makes larger ones of them."""
    images = RNG.normal(size=(2, 6, 5, channels)).transpose(0, 3, 1, 2)
    shape = (outputs, channels // groups) if name == "conv" else (channels, outputs // groups)
    sizes = {"stride": (2, 1), "dilation": (1, 2), "margins": (1, 0, 2, 2), "groups": groups, **more}
    return (
        name,
        [images, RNG.normal(size=(*shape, 3, 2)), RNG.normal(size=outputs)],
        {
            "kind": kind,
            "parameter": 0.0,
            **sizes,
        },
    )


IMAGES = RNG.normal(size=(2, 6, 5, 4)).transpose(0, 3, 1, 2)
WINDOWS = {"size": (3, 5), "kernel": (3, 2), "stride": (2, 1), "padding": (1, 1)}
LARGER = {"size": (9, 7), "factors": (0.0, 1.5)}


CASES = {
    "activation": ("activation", [X - 3], {"kind": "gelu", "parameter": 0.0}),
    "linear": ("linear", [X - 3, RNG.normal(size=(4, 19)), RNG.normal(size=4)], {"kind": "silu", "parameter": 0.0}),
    "softmax": ("softmax", [X], {"logarithm": False}),
    "layer_norm": ("layer_norm", [X, *COLUMNS], NORM),
    "layer_norm_axes": ("layer_norm", [POSITIONS, *RNG.normal(size=(2, 19, 3))], NORM),
    "layer_norm_of_a_column": ("layer_norm", [X[:, :1], *[c[:1] for c in COLUMNS]], NORM),
    "batch_norm": ("batch_norm", [X, *COLUMNS], {**NORM, "given": None, "seen": None, "relu": False}),
    "batch_norm_positions": ("batch_norm", [POSITIONS, *COLUMNS], {**NORM, "given": None, "seen": None, "relu": False}),
    "batch_norm_images": ("batch_norm", [PICTURES, *COLUMNS], {**NORM, "given": None, "seen": None, "relu": False}),
    "batch_norm_relu": ("batch_norm", [PICTURES, *COLUMNS], {**NORM, "given": None, "seen": None, "relu": True}),
    "batch_norm_more": (
        "batch_norm",
        [PICTURES, *COLUMNS, RNG.normal(size=PICTURES.shape)],
        {**NORM, "given": None, "seen": None, "relu": False},
    ),
    "batch_norm_more_relu": (
        "batch_norm",
        [PICTURES, *COLUMNS, RNG.normal(size=PICTURES.shape)],
        {**NORM, "given": GIVEN, "seen": None, "relu": True},
    ),
    "batch_norm_given": ("batch_norm", [X, *COLUMNS], {**NORM, "given": GIVEN, "seen": None, "relu": False}),
    "batch_norm_given_positions": (
        "batch_norm",
        [POSITIONS, *COLUMNS],
        {**NORM, "given": GIVEN, "seen": None, "relu": False},
    ),
    "conv": conv("conv", 3, 4),
    "conv_groups": conv("conv", 4, 6, 2, "identity"),
    "conv_channels": conv("conv", 4, 4, 4, "sigmoid"),
    "conv_transpose": conv("conv_transpose", 3, 4, size=(12, 3)),
    "conv_transpose_groups": conv("conv_transpose", 4, 6, 2, "identity", size=(13, 3)),
    "max_pool": ("max_pool", [IMAGES], {**WINDOWS, "dilation": (1, 2), "noted": True}),
    "max_pool_wide": (
        "max_pool",
        [RNG.normal(size=(1, 3, 18, 20))],
        {
            "size": (2, 2),
            "kernel": (17, 17),
            "stride": (2, 3),
            "padding": (1, 0),
            "dilation": (1, 1),
            "noted": True,
        },
    ),
    "adaptive_max_pool": ("adaptive_max_pool", [IMAGES], {"size": (4, 7), "noted": True}),
    "avg_pool": ("avg_pool", [IMAGES], {**WINDOWS, "count_margin": False, "divisor": 0}),
    "avg_pool_margin": ("avg_pool", [IMAGES], {**WINDOWS, "count_margin": True, "divisor": 0}),
    "avg_pool_divisor": ("avg_pool", [IMAGES], {**WINDOWS, "count_margin": True, "divisor": 5}),
    "adaptive_avg_pool": ("adaptive_avg_pool", [IMAGES], {"size": (4, 7)}),
    "global_avg_pool": ("adaptive_avg_pool", [IMAGES], {"size": (1, 1)}),
    "upsample_nearest": ("upsample", [IMAGES], {**LARGER, "linear": False, "align_corners": False}),
    "upsample_linear": ("upsample", [IMAGES], {**LARGER, "linear": True, "align_corners": False}),
    "upsample_corners": ("upsample", [IMAGES], {**LARGER, "linear": True, "align_corners": True}),
    "group_norm": ("group_norm", [IMAGES, *RNG.normal(size=(2, 4))], {"groups": 2, "eps": 1e-3}),
    "instance_norm": ("group_norm", [IMAGES, *RNG.normal(size=(2, 4))], {"groups": 4, "eps": 1e-3}),
    "group_norm_rows": (
        "group_norm",
        [X[:, :18], RNG.normal(size=18), RNG.normal(size=18)],
        {"groups": 3, "eps": 1e-3},
    ),
    "dropout": ("dropout", [X], {"p": 0.3, "seed": 5}),
    "embedding": ("embedding", [TABLE], {"index": INDEX, "padding": -1}),
    "embedding_padding": ("embedding", [TABLE], {"index": INDEX, "padding": 5}),
    **{f"{kind}_{reduction}": loss(kind, reduction) for kind in TARGETS for reduction in ("mean", "sum", "none")},
    "squared_weighted": loss("squared", "mean", RNG.random(X.shape)),
    "logistic_weighted": loss("logistic", "none", RNG.random(X.shape), RNG.random(X.shape)),
    "entropy": entropy(CLASSES),
    "entropy_sum": entropy(CLASSES, "sum", COLUMNS[0] ** 2),
    "entropy_smooth": entropy(CLASSES, "none", COLUMNS[0] ** 2, 0.2),
    "entropy_ignored": entropy(CLASSES, "mean", None, 0.2, CLASSES[2]),
    "entropy_probabilities": entropy(RNG.dirichlet(np.ones(19), 7), "none", COLUMNS[0] ** 2, 0.1),
}


def converted(value, dtype):
    if isinstance(value, tuple):
        return tuple(converted(v, dtype) for v in value)
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def test_every_coarse_primitive_has_a_case():
    fused = {name for name, primitive in PRIMITIVES.items() if isinstance(primitive, Fused)}
    assert fused == {name for name, _, _ in CASES.values()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
@pytest.mark.parametrize("case", CASES)
def test_plain_and_fused_are_equal(case, dtype):
    name, inputs, options = CASES[case]
    options = {key: converted(value, dtype) for key, value in options.items()}
    tensors = [[Tensor(x.astype(dtype), requires_grad=True) for x in inputs] for _ in range(2)]
    fused, plain = apply(name, *tensors[0], **options), PRIMITIVES[name].plain(*tensors[1], **options)
    assert fused.dtype == plain.dtype == dtype
    # Sums of up to 133 terms, in another order, of numbers up to e^6.
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(fused.data, plain.data, rtol=tolerance, atol=tolerance)
    gradient = np.random.default_rng(1).normal(size=fused.shape)
    for y in (fused, plain):
        y.backward(gradient)
    for x, y in zip(*tensors):
        assert x.grad.dtype == dtype
        scale = max(1, np.abs(y.grad).max())
        np.testing.assert_allclose(x.grad, y.grad, rtol=tolerance, atol=tolerance * scale)


# The padding row has values, and by convention no gradient.
DIFFERENTIABLE = [case for case in CASES if case != "embedding_padding"]
SMOOTH = [case for case in CASES if not case.startswith(("absolute", "hinge", "huber", "smooth"))]


@pytest.mark.parametrize("case", DIFFERENTIABLE)
def test_gradients_are_differences(case):
    name, inputs, options = CASES[case]
    nn.check_grads(lambda *x: apply(name, *x, **options), inputs, order=2 if case in SMOOTH else 1)


@pytest.mark.parametrize("case", CASES)
def test_inputs_that_need_no_gradient_get_none(case):
    name, inputs, options = CASES[case]
    for needed in range(len(inputs)):
        tensors = [Tensor(x, requires_grad=i == needed) for i, x in enumerate(inputs)]
        whole = [Tensor(x, requires_grad=True) for x in inputs]
        for some in (tensors, whole):
            y = apply(name, *some, **options)
            y.backward(np.ones(y.shape))
        assert [x.grad is None for x in tensors] == [i != needed for i in range(len(inputs))]
        np.testing.assert_allclose(tensors[needed].grad, whole[needed].grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", ["squared_mean", "entropy", "layer_norm", "embedding"])
def test_a_second_pass_adds_the_same_again(case):
    name, inputs, options = CASES[case]
    tensors = [Tensor(x, requires_grad=True) for x in inputs]
    y = apply(name, *tensors, **options)
    gradient = np.ones(y.shape)
    y.backward(gradient, retain_graph=True)
    first = [x.grad.copy() for x in tensors]
    y.backward(gradient, retain_graph=True)
    y.backward(gradient)
    for x, once in zip(tensors, first):
        np.testing.assert_allclose(x.grad, 3 * once, rtol=1e-12)


def plain_words(n, seed):
    """Return the first words of Philox-4x32-10 under a seed, in the order in which dropout reads them."""
    mask = np.uint64(0xFFFFFFFF)
    block = np.arange(-(-n // 64) * 16, dtype=np.uint64)
    words = [block & mask, block >> np.uint64(32), np.zeros_like(block), np.zeros_like(block)]
    keys = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        first, second = words[0] * np.uint64(0xD2511F53), words[2] * np.uint64(0xCD9E8D57)
        words = [
            (second >> np.uint64(32)) ^ words[1] ^ np.uint64(keys[0]),
            second & mask,
            (first >> np.uint64(32)) ^ words[3] ^ np.uint64(keys[1]),
            first & mask,
        ]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(words).reshape(4, -1, 16).transpose(1, 0, 2).ravel()[:n]


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
def test_dropout_draws_by_philox_at_any_number_of_threads(dtype):
    x = np.random.default_rng(0).normal(size=(300, 7)).astype(dtype)
    seed, p = 0x1234_5678_9ABC_DEF0, 0.4
    kept = plain_words(x.size, seed).reshape(x.shape) >= round(p * 2**32)
    for n_threads in (1, 2, 5):
        y = _core.nn_dropout(x, p, seed, n_threads)
        np.testing.assert_array_equal(y, np.where(kept, x * dtype(1 / (1 - p)), 0))


def test_dropout_is_random():
    y = _core.nn_dropout(np.ones(1 << 20, np.float32), 0.5, 1, 1) > 0
    n = len(y)
    five = 5 * 0.5 / np.sqrt(n)  # standard deviations of a mean
    assert abs(y.mean() - 0.5) < five
    for lag in (1, 2, 16, 64, 1024):
        assert abs((y[lag:] == y[:-lag]).mean() - 0.5) < five * 1.1
    other = _core.nn_dropout(np.ones(n, np.float32), 0.5, 2, 1) > 0
    assert abs((y == other).mean() - 0.5) < five


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
def test_threads_change_nothing(dtype):
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(2, 900, 70)).astype(dtype)
    w, b = rng.normal(size=(2, 70)).astype(dtype)
    index = rng.integers(0, 40, 900)
    some = []
    for n in (1, 3):
        y, mean, inverse = _core.nn_layer_norm(x, w, b, 1e-5, n)
        z, means, variances, inverses = _core.nn_batch_norm(x, w, b, None, None, 1e-5, g, True, n)
        table = np.empty((40, 70), dtype)
        _core.nn_embedding_backward(g, index, 3, True, table, n)
        total, _, dx = _core.nn_elementwise_loss(x, g, "huber", 0.5, None, None, 1.0, False, True, n)
        some.append([
            y, mean, inverse, z, means, variances, inverses, table, total, dx,
            _core.nn_layer_norm_backward(x, mean, inverse, w, g, True, n)[0],
            *_core.nn_batch_norm_backward(x, z, None, means, inverses, w, g, False, True, True, n),
        ])  # fmt: skip
    for one, three in zip(*some):
        np.testing.assert_array_equal(one, three)


def test_embedding_adds_rows_in_order_and_skips_padding():
    table = Tensor(TABLE.astype(np.float32), requires_grad=True)
    g = np.random.default_rng(0).normal(size=(*INDEX.shape, 5)).astype(np.float32)
    expected = np.zeros_like(table.data)
    np.add.at(expected, INDEX, g)
    F.embedding(INDEX, table).backward(g)
    np.testing.assert_array_equal(table.grad, expected)
    # Added to a gradient that is there, in its own memory.
    memory = table.grad
    F.embedding(INDEX, table).backward(g)
    assert table.grad is memory
    np.testing.assert_allclose(table.grad, 2 * expected, rtol=1e-6)
    nothing = Tensor(TABLE, requires_grad=True)
    F.embedding(np.empty((2, 0), int), nothing).sum().backward()
    np.testing.assert_array_equal(nothing.grad, np.zeros((6, 5)))
    layer = nn.Embedding(6, 5, padding_idx=-1)
    assert not layer.weight.data[5].any()
    layer(INDEX).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad[:, 0], [1, 1, 1, 0, 0, 0])
    with pytest.raises(ValueError, match=r"padding_idx must lie in \[-6, 6\), got 6"):
        nn.Embedding(6, 5, padding_idx=6)


def test_batches_of_nothing():
    """As in PyTorch: no values, gradients of 0, and a mean that is not a number."""
    x = Tensor(np.empty((0, 19), np.float32), requires_grad=True)
    w, b = (Tensor(c.astype(np.float32), requires_grad=True) for c in COLUMNS)
    F.dropout(F.layer_norm(x, 19, w, b), 0.5).sum().backward()
    assert x.grad.shape == (0, 19)
    assert not w.grad.any()
    assert not b.grad.any()
    for loss in (nn.mse_loss, nn.cross_entropy):
        assert np.isnan(loss(x, x.data).item())
        assert loss(x, x.data, reduction="sum").item() == 0
        assert loss(x, x.data, reduction="none").data.size == 0
    ignored = nn.cross_entropy(Tensor(np.ones((2, 3)), requires_grad=True), np.array([-100, -100]))
    assert np.isnan(ignored.item())


def test_types_that_differ_are_named():
    x = Tensor(X.astype(np.float32))
    for function in (lambda: F.layer_norm(x, 19, Tensor(COLUMNS[0])), lambda: nn.BatchNorm1d(19, dtype=np.float64)(x)):
        with pytest.raises(TypeError, match="must have one type, got float32, float64"):
            function()


def test_bindings_reject_what_leaves_an_array():
    x, w = np.ones((3, 4)), np.ones(4)
    with pytest.raises(ValueError, match="rows of 5 values"):
        _core.nn_layer_norm(x, np.ones(5), np.ones(5), 1e-5, 1)
    with pytest.raises(ValueError, match="bias: expected 4 elements, got 3"):
        _core.nn_layer_norm(x, w, w[:3], 1e-5, 1)
    with pytest.raises(ValueError, match="mean: expected 3 elements, got 4"):
        _core.nn_layer_norm_backward(x, w, np.ones(3), w, x, True, 1)
    with pytest.raises(ValueError, match="one shape"):
        _core.nn_batch_norm_backward(x, None, None, w, w, w, x[:2], False, True, False, 1)
    with pytest.raises(ValueError, match="indices in"):
        _core.nn_embedding(x, np.array([3]), 1)
    with pytest.raises(ValueError, match="out of range"):
        _core.nn_embedding_backward(x, np.array([0, 1, 3]), -1, True, x.copy(), 1)
    with pytest.raises(ValueError, match="a row of dy for each index"):
        _core.nn_embedding_backward(x, np.array([0, 1]), -1, True, x.copy(), 1)
    with pytest.raises(ValueError, match="one shape"):
        _core.nn_elementwise_loss(x, x[:2], "huber", 1.0, None, None, 1.0, True, True, 1)
    with pytest.raises(ValueError, match="unknown loss"):
        _core.nn_elementwise_loss(x, x, "cubic", 1.0, None, None, 1.0, True, True, 1)


@pytest.mark.parametrize("alpha", [1.5, -1.0])
def test_elu_at_zero_and_of_nan(alpha):
    """Of positive alpha by the kernel, and of others by the plain form, as the gradient's gradient always is."""
    values = np.array([-0.0, 0.0, np.nan, 800.0, -np.inf])
    for create_graph in (False, True):
        x = nn.Tensor(values, requires_grad=True)
        y = nn.functional.elu(x, alpha)
        (slope,) = nn.grad(y.sum(), x, create_graph=create_graph)
        np.testing.assert_array_equal(y.data, [0, 0, np.nan, 800, -alpha])
        np.testing.assert_array_equal(slope.data, [alpha, alpha, np.nan, 1, 0])
