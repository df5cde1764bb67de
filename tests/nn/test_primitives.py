"""Every primitive: values against NumPy and SciPy, gradients and their gradients against differences."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from fastml import nn
from fastml.nn import Tensor, check_grads, functional as F
from fastml.nn._primitives_fused import Fused
from fastml.nn.tensor import PRIMITIVES, Primitive, apply

RNG = np.random.default_rng(0)
X = RNG.uniform(0.3, 2.0, size=(3, 4)) * np.where(RNG.random((3, 4)) < 0.5, 1, -1)
P = np.abs(X)

# name: (function of tensors, the same of arrays, argument)
UNARY = {
    "negative": (lambda x: -x, np.negative, X),
    "exp": (F.exp, np.exp, X),
    "log": (F.log, np.log, P),
    "log1p": (F.log1p, np.log1p, P),
    "expm1": (F.expm1, np.expm1, X),
    "sqrt": (F.sqrt, np.sqrt, P),
    "sin": (F.sin, np.sin, X),
    "cos": (F.cos, np.cos, X),
    "erf": (F.erf, special.erf, X),
    "abs": (F.abs, np.abs, X),
    "clip": (lambda x: x.clip(-1, 1), lambda x: np.clip(x, -1, 1), X),
    "clip_below": (lambda x: x.clip(min=0.5), lambda x: np.maximum(x, 0.5), X),
    "cube": (lambda x: x**3, lambda x: x**3, X),
    "inverse": (lambda x: x**-1, lambda x: 1 / x, X),
    "constant": (lambda x: x**0, lambda x: x**0, X),
    "relu": (F.relu, lambda x: np.maximum(x, 0), X),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x), X),
    "leaky_relu_down": (lambda x: F.leaky_relu(x, -0.2), lambda x: np.where(x > 0, x, -0.2 * x), X),
    "elu": (lambda x: F.elu(x, 1.5), lambda x: np.where(x > 0, x, 1.5 * np.expm1(x)), X),
    "elu_down": (lambda x: F.elu(x, -1.5), lambda x: np.where(x > 0, x, -1.5 * np.expm1(x)), X),
    "gelu": (F.gelu, lambda x: x * special.ndtr(x), X),
    "gelu_tanh": (
        lambda x: F.gelu(x, "tanh"),
        lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
        X,
    ),
    "silu": (F.silu, lambda x: x * special.expit(x), X),
    "sigmoid": (F.sigmoid, special.expit, X),
    "tanh": (F.tanh, np.tanh, X),
    "softplus": (lambda x: F.softplus(x, 2), lambda x: np.logaddexp(0, 2 * x) / 2, X),
    "softplus_threshold": (
        lambda x: F.softplus(x, 2, 1.5),
        lambda x: np.where(2 * x > 1.5, x, np.logaddexp(0, 2 * x) / 2),
        X,
    ),
    "softmax": (F.softmax, lambda x: special.softmax(x, axis=-1), X),
    "softmax_0": (lambda x: F.softmax(x, 0), lambda x: special.softmax(x, axis=0), X),
    "log_softmax": (F.log_softmax, lambda x: special.log_softmax(x, axis=-1), X),
    "sum": (lambda x: x.sum(), np.sum, X),
    "sum_axis": (lambda x: x.sum(0) ** 2, lambda x: x.sum(0) ** 2, X),
    "sum_axes": (lambda x: x.sum((0, -1), keepdims=True), lambda x: x.sum((0, -1), keepdims=True), X),
    "mean": (lambda x: x.mean(1, keepdims=True) ** 2, lambda x: x.mean(1, keepdims=True) ** 2, X),
    "var": (lambda x: x.var(1), lambda x: x.var(1, ddof=1), X),
    "max": (lambda x: x.max(1), lambda x: x.max(1), X),
    "min": (lambda x: x.min(), np.min, X),
    "logsumexp": (lambda x: x.logsumexp(axis=1), lambda x: special.logsumexp(x, axis=1), X),
    "logsumexp_all": (lambda x: x.logsumexp(), special.logsumexp, X),
    "reshape": (lambda x: x.reshape(2, 6) ** 2, lambda x: x.reshape(2, 6) ** 2, X),
    "flatten": (lambda x: x.flatten() ** 2, lambda x: x.ravel() ** 2, X),
    "transpose": (lambda x: x.T * np.arange(3), lambda x: x.T * np.arange(3), X),
    "permute": (
        lambda x: x.reshape(3, 2, 2).transpose(1, 2, 0) ** 2,
        lambda x: x.reshape(3, 2, 2).transpose(1, 2, 0) ** 2,
        X,
    ),
    "broadcast": (lambda x: x[:1].broadcast_to((5, 4)) ** 2, lambda x: np.tile(x[:1], (5, 1)) ** 2, X),
    "slice": (lambda x: x[1:, ::-2] ** 2, lambda x: x[1:, ::-2] ** 2, X),
    "integers": (lambda x: x[[0, 2, 0, 0]] ** 2, lambda x: x[[0, 2, 0, 0]] ** 2, X),
    "pairs": (lambda x: x[[0, 2, 0], [1, 1, 1]] ** 2, lambda x: x[[0, 2, 0], [1, 1, 1]] ** 2, X),
    "mask": (lambda x: x[X > 0] ** 2, lambda x: x[X > 0] ** 2, X),
    "new_axis": (lambda x: x[:, None, ..., 0] ** 2, lambda x: x[:, None, ..., 0] ** 2, X),
    "concatenate": (lambda x: F.cat([x, x * x, x], 1), lambda x: np.concatenate([x, x * x, x], 1), X),
    "stack": (lambda x: F.stack([x, x * x], -1), lambda x: np.stack([x, x * x], -1), X),
    "where": (lambda x: F.where(X > 0, x * x, x), lambda x: np.where(X > 0, x * x, x), X),
    "gram": (lambda x: x @ x.T, lambda x: x @ x.T, X),
    "matrix_vector": (lambda x: x @ np.arange(4), lambda x: x @ np.arange(4), X),
    "vector_matrix": (lambda x: np.arange(3) @ x, lambda x: np.arange(3) @ x, X),
    "batched": (lambda x: F.stack([x, x * x]) @ x.T, lambda x: np.stack([x, x * x]) @ x.T, X),
    "dot": (lambda x: x[0] @ x[1], lambda x: x[0] @ x[1], X),
    "vector_batched": (lambda x: x[0] @ F.stack([x.T, x.T]), lambda x: x[0] @ np.stack([x.T, x.T]), X),
    "layer_norm": (
        lambda x: F.layer_norm(x, 4),
        lambda x: (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5),
        X,
    ),
    "batch_norm": (
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5),
        X,
    ),
}

BINARY = {
    "add": (lambda x, y: x + y, np.add),
    "subtract": (lambda x, y: x - y, np.subtract),
    "multiply": (lambda x, y: x * y, np.multiply),
    "divide": (lambda x, y: x / y, np.divide),
    "power": (lambda x, y: x**y, np.power),
    "maximum": (F.maximum, np.maximum),
    "minimum": (F.minimum, np.minimum),
}

ACTIVATIONS = ["identity", "relu", "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "sigmoid", "tanh", "softplus"]


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_numpy_s(name, dtype):
    function, reference, x = UNARY[name]
    result = function(Tensor(x.astype(dtype)))
    assert result.dtype == dtype
    expected = reference(x.astype(dtype).astype(np.float64))
    assert result.shape == np.shape(expected)
    # A few roundings; norms divide by a standard deviation that they compute.
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(result.data, expected, rtol=30 * eps, atol=30 * eps)


@pytest.mark.parametrize("name", UNARY)
def test_gradients_are_differences(name):
    function, _, x = UNARY[name]
    check_grads(function, [x], order=2)


def gradients(function, arrays, dtype):
    """Return the gradients of a function's results, weighted by numbers that depend on their place only."""
    tensors = [Tensor(x.astype(dtype), requires_grad=True) for x in arrays]
    result = function(*tensors)
    result.backward(np.cos(np.arange(result.size)).reshape(result.shape).astype(dtype))
    return [x.grad for x in tensors]


ACTIVATED = {
    f"linear_{kind}": (lambda x, w, b, kind=kind: F.linear(x, w, b, activation=kind, parameter=1.3))
    for kind in ACTIVATIONS
}


@pytest.mark.parametrize("name", [*UNARY, *BINARY, *ACTIVATED])
def test_gradients_in_float32_are_those_in_float64(name):
    """Differences say nothing of a kernel in float32; its own twin in float64, which they prove right, does."""
    if name in UNARY:
        function, _, x = UNARY[name]
        arrays = [x]
    elif name in BINARY:
        function, arrays = BINARY[name][0], [P, P[::-1, :1] + 0.1]
    else:
        function, arrays = ACTIVATED[name], [X, RNG.normal(size=(5, 4)), RNG.normal(size=5)]
    arrays = [x.astype(np.float32) for x in arrays]
    for single, double in zip(gradients(function, arrays, np.float32), gradients(function, arrays, np.float64)):
        assert single.dtype == np.float32
        assert np.abs(double).max() > 0 or name == "constant"
        # A few roundings of sums of terms near 1.
        np.testing.assert_allclose(single, double, rtol=1e-5, atol=2e-6)


def names_of(result):
    """Return the primitives that a result was made by."""
    names, stack = set(), [result._record]
    while stack:
        record = stack.pop()
        if record is not None:
            names.add(record.primitive.name)
            stack.extend([x._record for x in record.inputs])
    return names


def test_every_primitive_is_checked():
    x = Tensor(P, requires_grad=True)
    found = set().union(*[names_of(function(Tensor(x, requires_grad=True))) for function, _, x in UNARY.values()])
    found |= set().union(*[names_of(function(x, x)) for function, _ in BINARY.values()])
    # What stands in plain forms and in gradients only is called by name. Types are tested beside tensors, coarse
    # primitives by themselves.
    fused = {name for name, primitive in PRIMITIVES.items() if isinstance(primitive, Fused)}
    assert set(PRIMITIVES) - found - fused == {"alias", "astype", "put", "sigmoid", "tanh"}
    for name in ("sigmoid", "tanh"):
        check_grads(lambda x, name=name: apply(name, x), [X], order=2)
    check_grads(lambda x: apply("put", x, index=np.array([2, 0, 2]), shape=(5, 4)) ** 2, [X], order=2)
    check_grads(lambda x: apply("alias", x) ** 2, [X], order=2)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (2, 1, 4)), ((), (3,))])
def test_two_operands(name, shapes):
    function, reference = BINARY[name]
    x, y = (RNG.uniform(0.5, 2, size=shape) for shape in shapes)
    np.testing.assert_allclose(function(Tensor(x), Tensor(y)).data, reference(x, y), rtol=1e-14)
    check_grads(function, [x, y], order=2)


@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_its_parts(kind, bias):
    inputs = [RNG.normal(size=(2, 3, 4)), RNG.normal(size=(5, 4)), *([RNG.normal(size=5)] if bias else [])]
    tensors = [[Tensor(x, requires_grad=True) for x in inputs] for _ in range(2)]
    fused = F.linear(*tensors[0], activation=kind, parameter=1.3)
    z = tensors[1][0] @ tensors[1][1].T
    plain = F._activate(z + tensors[1][2] if bias else z, kind, 1.3)
    np.testing.assert_allclose(fused.data, plain.data, rtol=1e-13, atol=1e-14)
    weights = RNG.normal(size=fused.shape)
    for y in (fused, plain):
        y.backward(weights)
    for x, y in zip(*tensors):
        np.testing.assert_allclose(x.grad, y.grad, rtol=1e-12, atol=1e-13)
    check_grads(lambda *t: F.linear(*t, activation=kind, parameter=1.3), inputs, order=2)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("by_class", [True, False])
def test_cross_entropy_gradients(weighted, smoothing, by_class):
    target = np.array([0, 3, 2]) if by_class else special.softmax(X, axis=1)
    weight = np.array([0.5, 1.0, 2.0, 0.0]) if weighted else None
    check_grads(
        lambda x: nn.cross_entropy(x, target, weight, reduction="none", label_smoothing=smoothing), [X], order=2
    )


def test_norms_with_scale_and_shift():
    x, w, b = RNG.normal(size=(3, 4, 5)), RNG.normal(size=4), RNG.normal(size=4)
    check_grads(lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), [x, w, b], order=2)
    w, b = RNG.normal(size=(4, 5)), RNG.normal(size=(4, 5))
    check_grads(lambda x, w, b: F.layer_norm(x, (4, 5), w, b), [x, w, b], order=2)


def test_embedding_adds_up_rows_named_more_than_once():
    check_grads(lambda w: F.embedding(np.array([[0, 1], [1, 1]]), w) ** 2, [X], order=2)
    with pytest.raises(IndexError, match=r"\[0, 3\)"):
        F.embedding([3], Tensor(X))
    with pytest.raises(TypeError, match="integers"):
        F.embedding([0.5], Tensor(X))


def test_dropout_keeps_the_mean_and_its_own_mask():
    x = Tensor(np.ones((400, 500), np.float32), requires_grad=True)
    y = F.dropout(x, 0.25, seed=1)
    kept = y.data != 0
    assert abs(kept.mean() - 0.75) < 0.005  # 5 standard deviations
    np.testing.assert_array_equal(y.data[kept], np.float32(1 / 0.75))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)
    np.testing.assert_array_equal(F.dropout(x, 0.25, seed=1).data, y.data)
    assert (F.dropout(x, 0.25, seed=2).data != y.data).any()
    assert F.dropout(x, 0.25, training=False) is x
    assert not F.dropout(x, 1.0).data.any()
    nn.manual_seed(3)
    first = F.dropout(x).data
    nn.manual_seed(3)
    np.testing.assert_array_equal(F.dropout(x).data, first)


def test_kinks_are_pytorch_s():
    for function, expected in [
        (F.abs, 0),
        (F.relu, 0),
        (lambda x: F.maximum(x, 0.0), 0.5),
        (lambda x: x.clip(0, 1), 1),
        (lambda x: F.leaky_relu(x, 0.1), 0.1),
    ]:
        x = Tensor(np.zeros(1), requires_grad=True)
        function(x).sum().backward()
        np.testing.assert_array_equal(x.grad, [expected])
    x = Tensor(np.array([1.0, 2.0, 2.0]), requires_grad=True)
    x.max().backward()
    np.testing.assert_array_equal(x.grad, [0, 0.5, 0.5])


def test_parameters_of_activations():
    with pytest.raises(ValueError, match="alpha must be positive"):
        F.linear(X, Tensor(X), activation="elu", parameter=0)
    with pytest.raises(ValueError, match="beta must be positive"):
        F.softplus(X, -1)
    with pytest.raises(ValueError, match="approximate"):
        F.gelu(X, "erf")


def test_nothing_overflows_that_need_not():
    x = Tensor(np.array([-1000.0, 0.0, 1000.0]), requires_grad=True)
    for function in (F.softmax, F.log_softmax, F.sigmoid, F.tanh, F.softplus, F.silu, F.gelu, F.elu, F.logsumexp):
        x.grad = None
        y = function(x)
        y.sum().backward()
        assert np.isfinite(y.data).all()
        assert np.isfinite(x.grad).all()


def test_check_grads_finds_a_wrong_gradient(monkeypatch):
    def wrong(x):
        return x * x.detach()

    with pytest.raises(AssertionError, match="first order"):
        check_grads(wrong, [X])

    # The right gradient, of which nothing knows that it depends on x.
    monkeypatch.setitem(PRIMITIVES, "cube", Primitive("cube", lambda x: x**3, [lambda g, out, x: g * (3 * x.data**2)]))
    check_grads(lambda x: apply("cube", x), [X])
    check_grads(lambda x: apply("cube", x) + x**3, [X])
    with pytest.raises(AssertionError, match="second order"):
        check_grads(lambda x: apply("cube", x), [X], order=2)


@settings(max_examples=60, deadline=None)
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4),
    st.sampled_from(sorted(BINARY)),
)
def test_any_shapes_that_numpy_broadcasts(shapes, name):
    function, reference = BINARY[name]
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(0.5, 2, size=shape) for shape in shapes.input_shapes)
    result = function(Tensor(x), Tensor(y))
    assert result.shape == shapes.result_shape
    np.testing.assert_allclose(result.data, reference(x, y), rtol=1e-14)
    check_grads(function, [x, y], directions=1)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_index_that_numpy_takes(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=5))
    kind = data.draw(st.sampled_from(["basic", "integers", "mask"]))
    if kind == "basic":
        index = data.draw(hnp.basic_indices(shape, allow_newaxis=True))
    elif kind == "integers":
        index = data.draw(hnp.integer_array_indices(shape))
    else:
        index = data.draw(hnp.arrays(bool, shape))
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_array_equal(Tensor(x)[index].data, x[index])
    check_grads(lambda x: x[index] ** 2, [x], directions=1)
