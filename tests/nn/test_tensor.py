"""The engine: what is recorded, what backward does with it, and what it says when it cannot."""

import copy
import pickle
import threading

import numpy as np
import pytest

from fastml import nn
from fastml.nn import Tensor, functional as F


def leaf(values, dtype=np.float64):
    return Tensor(np.array(values, dtype=dtype), requires_grad=True)


def test_backward_adds_up_what_each_path_contributes():
    x = leaf([1.0, 2.0])
    y = x * x
    (y * x + y).sum().backward()  # x^3 + x^2
    np.testing.assert_allclose(x.grad, 3 * x.data**2 + 2 * x.data)


def test_gradients_accumulate_until_they_are_forgotten():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    (x * 4).sum().backward()
    np.testing.assert_array_equal(x.grad, [7, 7])
    x.grad = None
    (x * 5).sum().backward()
    np.testing.assert_array_equal(x.grad, [5, 5])


def test_gradients_of_two_leaves_never_share_memory():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    given = np.ones(2)
    (x + y).backward(given)
    x.grad *= 10
    np.testing.assert_array_equal(y.grad, [1, 1])
    np.testing.assert_array_equal(given, [1, 1])
    x.grad = y.grad = None
    ((x + y) * 2).sum().backward()  # the gradient of the sum is one array, for both
    x.grad *= 10
    np.testing.assert_array_equal(y.grad, [2, 2])


def test_scalars_stay_scalars():
    x = leaf(0.5)
    for function in (F.relu, F.exp, F.gelu, lambda x: x**2, lambda x: x.sum()):
        x.grad = None
        y = function(x)
        assert y.shape == ()
        y.backward()
        assert x.grad.shape == ()


def test_the_gradient_goes_into_the_buffer_that_is_given():
    rng = np.random.default_rng(0)
    weight, bias = leaf(rng.normal(size=(3, 2))), leaf(rng.normal(size=3))
    flat = np.full(9, np.nan)
    weight.grad_buffer, bias.grad_buffer = flat[:6].reshape(3, 2), flat[6:]
    x = rng.normal(size=(5, 2))
    for times in (1, 2):
        F.linear(x, weight, bias).sum().backward()
        assert weight.grad is weight.grad_buffer
        assert bias.grad is bias.grad_buffer
        np.testing.assert_allclose(flat, times * np.concatenate([np.tile(x.sum(axis=0), 3), [5, 5, 5]]))


def test_the_graph_is_freed_unless_it_is_to_be_kept():
    x = leaf([1.0, 2.0])
    y = F.exp(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad, 2 * np.exp(x.data))
    with pytest.raises(RuntimeError, match=r"record of sum was freed.*retain_graph=True"):
        y.backward()


def test_a_long_chain_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    y.backward()
    assert x.grad == 1


def test_nothing_is_recorded_in_no_grad():
    x = leaf([1.0])
    with nn.no_grad():
        assert not nn.is_grad_enabled()
        y = x * 2
        with nn.enable_grad():
            assert (x * 2).requires_grad
    assert not y.requires_grad
    assert nn.is_grad_enabled()

    @nn.no_grad()
    def doubled(x):
        return x * 2

    assert not doubled(x).requires_grad
    with pytest.raises(RuntimeError, match="requires a gradient"):
        y.backward()


def test_no_grad_is_a_thread_s_own():
    seen = []
    with nn.no_grad():
        thread = threading.Thread(target=lambda: seen.append(nn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_threads_may_differentiate_at_once():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(20, 30), nn.Tanh(), nn.Linear(30, 3))
    batches = [rng.normal(size=(50, 20)).astype(np.float32) for _ in range(4)]
    targets = rng.integers(0, 3, 50)

    def gradients(x):
        return [g.data for g in nn.grad(nn.cross_entropy(model(x), targets), list(model.parameters()))]

    expected = [gradients(x) for x in batches]
    found = [None] * 4

    def work(i):
        for _ in range(20):
            found[i] = gradients(batches[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(expected, found):
        for a, b in zip(one, other):
            np.testing.assert_array_equal(a, b)


def test_detach_cuts_and_shares():
    x = leaf([2.0])
    cut = (x * x).detach()
    (x * cut).sum().backward()
    np.testing.assert_array_equal(x.grad, [4])
    assert x.detach().data is x.data


def test_hooks_see_complete_gradients_and_may_replace_them():
    x = leaf([1.0, 2.0])
    seen = []
    remove = x.register_hook(lambda g: seen.append(g.copy()))
    y = x * 2
    y.register_hook(lambda g: g * 10)
    (y + y * 3).sum().backward()
    np.testing.assert_array_equal(x.grad, [80, 80])
    np.testing.assert_array_equal(seen, [[80, 80]])
    remove()
    (x * 1).sum().backward()
    assert len(seen) == 1


def test_a_hook_on_a_weight_sees_its_gradient():
    weight = leaf(np.ones((2, 3)))
    weight.register_hook(lambda g: g * 2)
    F.linear(np.ones((4, 3)), weight).sum().backward()
    np.testing.assert_array_equal(weight.grad, np.full((2, 3), 8))


def test_grad_returns_what_is_asked_for_and_leaves_the_rest():
    x, w, other = leaf([1.0, 2.0]), leaf([3.0, 4.0]), leaf([5.0])
    h = x * w
    dx, dh, none = nn.grad((h * h).sum(), [x, h, other])
    np.testing.assert_array_equal(dx.data, 2 * h.data * w.data)
    np.testing.assert_array_equal(dh.data, 2 * h.data)
    assert none is None
    assert x.grad is None
    assert w.grad is None


def test_gradients_of_gradients():
    x = leaf([1.0, 2.0, 3.0])
    y = F.exp(x * x).sum()
    (first,) = nn.grad(y, x, create_graph=True)
    (second,) = nn.grad(first.sum(), x, create_graph=True)
    (third,) = nn.grad(second.sum(), x)
    e = np.exp(x.data**2)
    np.testing.assert_allclose(first.data, 2 * x.data * e)
    np.testing.assert_allclose(second.data, (2 + 4 * x.data**2) * e)
    np.testing.assert_allclose(third.data, (12 * x.data + 8 * x.data**3) * e)


def test_a_gradient_penalty_reaches_the_weights():
    model = nn.Sequential(nn.Linear(4, 5, dtype=np.float64, rng=0), nn.Tanh(), nn.Linear(5, 1, dtype=np.float64, rng=1))
    x = np.random.default_rng(2).normal(size=(6, 4))

    def penalty():
        points = Tensor(x, requires_grad=True)
        (slope,) = nn.grad(model(points).sum(), points, create_graph=True)
        return (slope * slope).sum()

    penalty().backward()
    weight = model[0].weight
    step = np.zeros_like(weight.data)
    step[1, 2] = 1e-6
    before = weight.data.copy()
    values = []
    for sign in (1, -1):
        weight.data = before + sign * step
        values.append(penalty().item())
    assert weight.grad[1, 2] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_take_the_type_of_the_tensor(dtype):
    x = leaf([1.0, 2.0], dtype)
    for y in (
        x + 1,
        1 + x,
        x * 2.5,
        3 / x,
        x**2,
        x ** np.float64(2),
        2**x,
        x - 1,
        1 - x,
        -x,
        abs(x),
        x / np.float64(3),
        x * np.arange(2),
    ):
        assert y.dtype == dtype
        (dx,) = nn.grad(y.sum(), x)
        assert dx.dtype == dtype


def test_types_are_promoted_and_each_gets_its_gradient():
    x, y = leaf([1.0, 2.0], np.float32), leaf([3.0, 4.0], np.float64)
    z = x * y
    assert z.dtype == np.float64
    z.sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_arrays_on_the_left_keep_the_graph():
    x = leaf([1.0, 2.0])
    total = (np.array([3.0, 4.0]) * x).sum() + (np.ones((3, 2)) @ x).sum()
    total.backward()
    np.testing.assert_array_equal(x.grad, [6, 7])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x + np.ones((2, 5)), r"add: shapes \(3, 4\) and \(2, 5\)"),
        (lambda x: x @ np.ones((5, 2)), r"matmul: shapes \(3, 4\) and \(5, 2\)"),
        (lambda x: x.reshape(5, 5), r"reshape: shapes \(3, 4\)"),
        (lambda x: F.concatenate([x, np.ones((3, 3))]), r"concatenate: shapes \(3, 4\) and \(3, 3\)"),
        (lambda x: F.stack([x, np.ones((3, 3))]), r"stack: shapes \(3, 4\) and \(3, 3\)"),
        (
            lambda x: F.linear(x, Tensor(np.ones((2, 5)))),
            r"linear: input of shape \(3, 4\) and weight of shape \(2, 5\)",
        ),
        (lambda x: F.layer_norm(x, 5), r"layer_norm: input of shape \(3, 4\).*\(5,\)"),
        (lambda x: nn.mse_loss(x, np.ones(3)), r"mse_loss.*\(3, 4\).*\(3,\)"),
        (lambda x: nn.cross_entropy(x, np.zeros(4, int)), r"cross_entropy.*\(3, 4\).*\(4,\)"),
        (lambda x: x.backward(np.ones(2)), r"gradient has shape \(2,\), the tensor \(3, 4\)"),
    ],
)
def test_errors_name_the_operation_and_both_shapes(function, message):
    with pytest.raises(ValueError, match=message):
        function(leaf(np.ones((3, 4))))


def test_other_errors_say_what_to_do():
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"shape \(2,\): give one"):
        (x * 2).backward()
    with pytest.raises(IndexError, match=r"getitem: shapes \(2,\)"):
        x[5]
    with pytest.raises(TypeError, match="int64"):
        Tensor(np.arange(3), requires_grad=True)
    with pytest.raises(TypeError, match="multiply cannot be copied or pickled: detach"):
        pickle.dumps(x * 2)
    with pytest.raises(AttributeError, match="nothing_like_that"):
        x.nothing_like_that  # noqa: B018


def test_changes_in_place_are_seen_as_the_documentation_says():
    x, y = leaf([1.0]), leaf([2.0])
    z = x * y
    y.data *= 10
    z.sum().backward()
    assert x.grad == 20


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_independent(copied):
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    model(x).sum().backward()
    other = copied(model).eval()
    model.eval()
    np.testing.assert_array_equal(other(x).data, model(x).data)
    for (name, p), (other_name, q) in zip(model.named_parameters(), other.named_parameters()):
        assert name == other_name
        assert type(q) is nn.Parameter
        np.testing.assert_array_equal(p.grad, q.grad)
        assert not np.shares_memory(p.data, q.data)


def test_methods_and_text():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert x.shape == (2, 2)
    assert (x.ndim, x.size, len(x), x.is_leaf) == (2, 4, 2, True)
    assert float(x.sum()) == x.sum().item() == 10
    assert "requires_grad=True, made by sum" in repr(x.sum())
    np.testing.assert_array_equal(x.T.data, x.data.T)
    np.testing.assert_array_equal(np.asarray(x), x.data)
    np.testing.assert_array_equal(x > 2, x.data > 2)
    np.testing.assert_array_equal([row.data for row in x], x.data)
    assert Tensor([1, 2]).dtype == np.float32
    assert Tensor(np.array([1, 2])).dtype == np.int64
