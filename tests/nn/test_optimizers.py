"""Trajectories of optimizers: against formulas written out in NumPy, and against PyTorch where it is installed."""

import copy

import numpy as np
import pytest

from fastml import _core
from fastml.nn import clipping, optim
from fastml.nn.module import Parameter

SHAPES = [(7, 5), (5,), (), (0, 3), (33, 20)]
STEPS = 20
TOLERANCES = {np.float32: (1.3e-6, 1e-5), np.float64: (1e-7, 1e-7)}  # those of torch.testing.assert_close

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.3, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.8, "weight_decay": 0.1, "eps": 1e-3, "maximize": True}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.5}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.5, "centered": True, "eps": 1e-2}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "eps": 1e-3, "maximize": True}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.5), "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True, "maximize": True}),
]
IDS = [f"{name}-{'-'.join(options) or 'defaults'}" for name, options in CASES]


def start(dtype):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES]


def gradient(p, number, step):
    """Return a pull to a place of its own for each parameter, disturbed; it depends on where the parameter is."""
    noise = np.random.default_rng(1000 * step + number).normal(size=p.shape)
    return (p - 0.5 * number + 0.3 * noise).astype(p.dtype)


def trajectory(optimizer, parameters, steps=range(STEPS)):
    for step in steps:
        for number, p in enumerate(parameters):
            p.grad = gradient(p.data, number, step)
        optimizer.step()
    return [p.data.copy() for p in parameters]


def plain_step(name, given, state, p, g, t):
    """Make step t of one parameter, as the papers have it, in float64."""
    options = {**optim_defaults(name), **given}
    lr, decay = options["lr"], options["weight_decay"]
    g = -g if options["maximize"] else g
    if name == "AdamW" or options.get("decoupled_weight_decay"):
        p = p - lr * decay * p
    else:
        g = g + decay * p
    if name == "SGD":
        if options["momentum"]:
            dampened = g if t == 1 else (1 - options["dampening"]) * g
            state["v"] = options["momentum"] * state.get("v", 0) + dampened
            g = g + options["momentum"] * state["v"] if options["nesterov"] else state["v"]
        return p - lr * g
    if name == "Adagrad":
        state["sum"] = state.get("sum", options["initial_accumulator_value"]) + g**2
        return p - lr / (1 + (t - 1) * options["lr_decay"]) * g / (np.sqrt(state["sum"]) + options["eps"])
    if name == "RMSprop":
        alpha = options["alpha"]
        state["s"] = alpha * state.get("s", 0) + (1 - alpha) * g**2
        variance = state["s"]
        if options["centered"]:
            state["m"] = alpha * state.get("m", 0) + (1 - alpha) * g
            variance = variance - state["m"] ** 2
        state["v"] = options["momentum"] * state.get("v", 0) + g / (np.sqrt(variance) + options["eps"])
        return p - lr * state["v"]
    beta1, beta2 = options["betas"]
    state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    state["s"] = beta2 * state.get("s", 0) + (1 - beta2) * g**2
    state["most"] = np.maximum(state.get("most", 0), state["s"])
    square = (state["most"] if options["amsgrad"] else state["s"]) / (1 - beta2**t)
    return p - lr * state["m"] / (1 - beta1**t) / (np.sqrt(square) + options["eps"])


def optim_defaults(name):
    return getattr(optim, name)([Parameter(np.zeros(1))]).defaults


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_follows_the_formula(name, options, dtype):
    parameters = [Parameter(p) for p in start(dtype)]
    actual = trajectory(getattr(optim, name)(parameters, **options), parameters)
    values, states = [p.astype(np.float64) for p in start(dtype)], [{} for _ in SHAPES]
    for step in range(STEPS):
        for number, p in enumerate(values):
            g = gradient(p.astype(dtype), number, step).astype(np.float64)
            values[number] = plain_step(name, options, states[number], p, g, step + 1)
    # Errors of 20 steps that depend on one another; a wrong formula is off in the second digit.
    rtol = 2e-4 if dtype is np.float32 else 1e-10
    for p, value in zip(actual, values):
        assert p.dtype == dtype
        np.testing.assert_allclose(p, value, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_follows_pytorch(name, options, dtype):
    torch = pytest.importorskip("torch", reason="the other side of the comparison; formulas are tested without it")
    parameters = [Parameter(p) for p in start(dtype)]
    ours = getattr(optim, name)(parameters, **options)
    tensors = [torch.nn.Parameter(torch.from_numpy(p.copy())) for p in start(dtype)]
    theirs = getattr(torch.optim, name)(tensors, **options)
    rtol, atol = TOLERANCES[dtype]
    for step in range(STEPS):
        for number, (p, tensor) in enumerate(zip(parameters, tensors)):
            p.grad = gradient(p.data, number, step)
            tensor.grad = torch.from_numpy(np.asarray(gradient(tensor.detach().numpy(), number, step)))
        ours.step()
        theirs.step()
        for p, tensor in zip(parameters, tensors):
            np.testing.assert_allclose(p.data, tensor.detach().numpy(), rtol=rtol, atol=atol, err_msg=f"step {step}")


def test_defaults():
    """The formulas above are given the class' own defaults: these are PyTorch's, by its documentation."""
    adam = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False, "maximize": False}
    expected = {
        "SGD": {
            "lr": 1e-3,
            "momentum": 0,
            "dampening": 0,
            "weight_decay": 0,
            "nesterov": False,
            "maximize": False,
        },
        "Adagrad": {
            "lr": 1e-2,
            "lr_decay": 0,
            "weight_decay": 0,
            "initial_accumulator_value": 0,
            "eps": 1e-10,
            "maximize": False,
        },
        "RMSprop": {
            "lr": 1e-2,
            "alpha": 0.99,
            "eps": 1e-8,
            "weight_decay": 0,
            "momentum": 0,
            "centered": False,
            "maximize": False,
        },
        "Adam": {**adam, "weight_decay": 0, "decoupled_weight_decay": False, "eps_after_correction": True},
        "AdamW": {**adam, "weight_decay": 1e-2, "decoupled_weight_decay": True, "eps_after_correction": True},
    }
    assert {name: optim_defaults(name) for name in expected} == expected


def test_defaults_and_states_have_pytorchs_names():
    torch = pytest.importorskip("torch", reason="the other side of the comparison")
    for name in ("SGD", "Adagrad", "RMSprop", "Adam", "AdamW"):
        theirs = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(1))])
        for argument, value in getattr(optim, name)([Parameter(np.zeros(1))]).defaults.items():
            if argument != "eps_after_correction":
                assert theirs.defaults[argument] == value, f"{name}.{argument}"
    tensor = torch.nn.Parameter(torch.zeros(3))
    theirs = torch.optim.Adam([tensor], amsgrad=True)
    tensor.grad = torch.tensor([1.0, -2.0, 3.0])
    theirs.step()
    p = Parameter(tensor.detach().numpy().copy())
    ours = optim.Adam([p], amsgrad=True)
    ours.load_state_dict(theirs.state_dict())  # arrays or tensors: what has the names and shapes
    p.grad = np.array([2.0, 1.0, 0.5], np.float32)
    tensor.grad = torch.from_numpy(p.grad.copy())
    ours.step()
    theirs.step()
    np.testing.assert_allclose(p.data, tensor.detach().numpy(), rtol=1.3e-6)


def test_adam_as_scikit_learn_has_it():
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    values = start(np.float64)
    theirs = AdamOptimizer(values, learning_rate_init=0.1, epsilon=1e-2)
    parameters = [Parameter(p) for p in start(np.float64)]
    ours = optim.Adam(parameters, lr=0.1, eps=1e-2, eps_after_correction=False)
    for step in range(STEPS):
        for number, p in enumerate(parameters):
            p.grad = gradient(p.data, number, step)
        theirs.update_params(values, [gradient(p, number, step) for number, p in enumerate(values)])
        ours.step()
    # A scalar is a parameter that scikit-learn's in-place addition does not change.
    for p, value in zip(parameters, values):
        if value.ndim:
            np.testing.assert_allclose(p.data, value, rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_restored_optimizer_goes_on_bit_for_bit(name, options):
    parameters = [Parameter(p) for p in start(np.float32)]
    optimizer = getattr(optim, name)(parameters, **options)
    middle = trajectory(optimizer, parameters, range(7))
    saved = copy.deepcopy(optimizer.state_dict())
    end = trajectory(optimizer, parameters, range(7, STEPS))
    others = [Parameter(p.copy()) for p in middle]
    other = getattr(optim, name)(others)
    other.load_state_dict(saved)
    for p, expected in zip(trajectory(other, others, range(7, STEPS)), end):
        np.testing.assert_array_equal(p, expected)
    # The first went on from its own states, and left what it had given away.
    assert saved["state"].keys() == optimizer.state_dict()["state"].keys()
    assert saved["state"][0]["step"] == 7


def test_parameters_without_gradient_stay_as_they_are():
    """Their steps are not counted either: the first one that they take is corrected as a first one."""
    parameters = [Parameter(np.ones(3)), Parameter(np.ones(4))]
    optimizer = optim.Adam(parameters, lr=0.1)
    for _ in range(3):
        parameters[0].grad = np.full(3, 2.0)
        optimizer.step()
    np.testing.assert_array_equal(parameters[1].data, np.ones(4))
    parameters[1].grad = np.full(4, 5.0)
    before = parameters[0].data.copy()
    optimizer.step()
    # Whatever its size, the first gradient makes a step of lr.
    np.testing.assert_allclose(parameters[1].data, 0.9, rtol=1e-7)
    assert (parameters[0].data < before).all()
    assert [entry["step"] for entry in optimizer.state_dict()["state"].values()] == [4, 1]
    optimizer.zero_grad()
    before = [p.data.copy() for p in parameters]
    optimizer.step()
    for p, expected in zip(parameters, before):
        np.testing.assert_array_equal(p.data, expected)


def test_parameters_move_into_one_aligned_buffer():
    parameters = [Parameter(p) for p in start(np.float32)] + [Parameter(np.ones(3))]
    parameters[0].grad = np.ones((7, 5), np.float32)
    optimizer = optim.SGD(parameters, lr=0.5)
    singles = parameters[:-1]
    assert all(p.data.ctypes.data % 64 == 0 for p in singles if p.data.size)
    assert len({id(p.data.base) for p in singles}) == 1
    assert parameters[-1].data.base is not singles[0].data.base
    for p, value in zip(singles, start(np.float32)):
        np.testing.assert_array_equal(p.data, value)
    assert parameters[0].grad is parameters[0].grad_buffer
    optimizer.step()
    np.testing.assert_allclose(parameters[0].data, start(np.float32)[0] - 0.5, rtol=1e-6)


def test_data_that_was_replaced_are_stepped():
    p = Parameter(np.ones(3))
    optimizer = optim.SGD([p], lr=1)
    p.data = np.full(3, 10.0)
    p.grad = np.ones(3)
    optimizer.step()
    np.testing.assert_array_equal(p.data, np.full(3, 9.0))
    p.data = np.ones(4)
    with pytest.raises(ValueError, match=r"shape \(3,\) now has shape \(4,\)"):
        optimizer.step()
    p.data, p.grad = np.ones(3), np.ones(2)
    with pytest.raises(ValueError, match=r"gradient of shape \(2,\)"):
        optimizer.step()


def test_gradients_of_any_layout():
    p = Parameter(np.zeros((3, 4)))
    optimizer = optim.SGD([p], lr=1)
    p.grad = np.arange(12.0).reshape(4, 3).T
    optimizer.step()
    np.testing.assert_array_equal(p.data, -np.arange(12.0).reshape(4, 3).T)


def test_groups_have_their_own_arguments():
    fast, slow, late = (Parameter(np.ones(2)) for _ in range(3))
    optimizer = optim.SGD([{"params": [fast], "lr": 1.0}, {"params": slow}], lr=0.25)
    optimizer.add_param_group({"params": [late], "lr": 0.5, "maximize": True})
    for p in (fast, slow, late):
        p.grad = np.ones(2)
    optimizer.step(gradient_scale=0.5)
    assert (fast.data[0], slow.data[0], late.data[0]) == (0.5, 0.875, 1.25)
    assert "lr: 0.25" in repr(optimizer)


def test_zero_grad():
    p = Parameter(np.ones(2))
    optimizer = optim.SGD([p])
    p.grad = np.ones(2)
    optimizer.zero_grad(set_to_none=False)
    np.testing.assert_array_equal(p.grad, np.zeros(2))
    optimizer.zero_grad()
    assert p.grad is None


def test_closure_is_called_first():
    p = Parameter(np.ones(2))
    optimizer = optim.SGD([p], lr=1)

    def closure():
        p.grad = np.ones(2)
        return 7

    assert optimizer.step(closure) == 7
    np.testing.assert_array_equal(p.data, np.zeros(2))


def test_wrong_arguments():
    p = Parameter(np.ones(2))
    with pytest.raises(ValueError, match="empty parameter list"):
        optim.SGD([])
    with pytest.raises(TypeError, match="iterable of parameters"):
        optim.SGD(p)
    with pytest.raises(TypeError, match="can only optimize"):
        optim.SGD([np.ones(2, int)])
    with pytest.raises(ValueError, match="more than one parameter group"):
        optim.SGD([{"params": [p]}, {"params": [p]}])
    with pytest.raises(ValueError, match="twice"):
        optim.SGD([p, p])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optim.Adam([p], lr=-1)
    with pytest.raises(ValueError, match="Invalid beta parameter at index 1: 1"):
        optim.Adam([p], betas=(0.9, 1))
    with pytest.raises(ValueError, match="Nesterov momentum requires"):
        optim.SGD([p], nesterov=True)
    with pytest.raises(ValueError, match="unknown arguments of a parameter group: rate"):
        optim.SGD([{"params": [p], "rate": 1}])


def test_states_that_do_not_fit_change_nothing():
    p = Parameter(np.ones(2))
    optimizer = optim.Adam([p])
    p.grad = np.ones(2)
    optimizer.step()
    before = optimizer.state_dict()
    one_more = optim.Adam([Parameter(np.ones(2)), Parameter(np.ones(3))]).state_dict()
    with pytest.raises(ValueError, match="doesn't match the size"):
        optimizer.load_state_dict(one_more)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict({"state": {}, "param_groups": []})
    wrong = copy.deepcopy(before)
    wrong["state"][0]["exp_avg_sq"] = np.ones(5)
    with pytest.raises(ValueError, match=r"exp_avg_sq of shape \(5,\) for parameter 0, whose shape is \(2,\)"):
        optimizer.load_state_dict(wrong)
    after = optimizer.state_dict()
    np.testing.assert_array_equal(after["state"][0]["exp_avg"], before["state"][0]["exp_avg"])
    assert after["state"][0]["step"] == 1


def test_threads_change_no_bit(monkeypatch):
    """Enough elements for several runs of a kernel on each thread."""
    rng = np.random.default_rng(0)
    value, g = rng.normal(size=(2, 50_001)).astype(np.float32)
    results = []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr("fastml.nn._optimizer.threads.n_threads", lambda work=None, n=n_threads: n)
        p = Parameter(value.copy())
        optimizer = optim.Adam([p], lr=0.1)
        for _ in range(3):
            p.grad = g
            optimizer.step()
        results.append(p.data.copy())
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_clip_grad_norm():
    torch = pytest.importorskip("torch", reason="the other side of the comparison; the 2-norm is tested without it")
    for order in (2.0, 1.0, np.inf):
        for most in (0.5, 1e9):
            parameters = [Parameter(p) for p in start(np.float32) if p.size > 1]
            tensors = [torch.nn.Parameter(torch.from_numpy(p.data.copy())) for p in parameters]
            for number, (p, tensor) in enumerate(zip(parameters, tensors)):
                p.grad = gradient(p.data, number, 0)
                tensor.grad = torch.from_numpy(p.grad.copy())
            expected = torch.nn.utils.clip_grad_norm_(tensors, most, order)
            assert clipping.clip_grad_norm_(parameters, most, order) == pytest.approx(float(expected), rel=1e-5)
            for p, tensor in zip(parameters, tensors):
                np.testing.assert_allclose(p.grad, tensor.grad.numpy(), rtol=1.3e-6, atol=1e-7)


def test_clip_grad_norm_scales_to_the_norm():
    parameters = [Parameter(np.zeros(3)), Parameter(np.zeros(2, np.float32)), Parameter(np.zeros(2))]
    parameters[0].grad, parameters[1].grad = np.array([3.0, 0, 0]), np.array([0, 4], np.float32)
    assert clipping.grad_norm(parameters) == pytest.approx(5)
    assert clipping.clip_grad_norm_(parameters, 1.0) == pytest.approx(5)
    np.testing.assert_allclose(parameters[0].grad, [0.6, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(parameters[1].grad, [0, 0.8], rtol=1e-6)
    assert clipping.clip_grad_norm_(parameters, 1.0) == pytest.approx(1)
    assert clipping.clip_grad_norm_(parameters[2], 1.0) == 0
    parameters[0].grad[0] = np.nan
    with pytest.raises(RuntimeError, match="non-finite"):
        clipping.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)


def test_clip_grad_value():
    p = Parameter(np.zeros(4))
    p.grad = np.array([-3.0, 0.25, np.inf, np.nan])
    clipping.clip_grad_value_([p, Parameter(np.zeros(2))], 0.5)
    np.testing.assert_array_equal(p.grad, [-0.5, 0.25, 0.5, np.nan])


def test_bindings_reject_what_leaves_a_buffer():
    flat = np.zeros(4)
    arguments = (None, 1.0, 0.0, 0.1, 0.0, 0.0, 1.0, False, 1)
    with pytest.raises(ValueError, match="leaves the flat buffer"):
        _core.nn_sgd_step(flat, [np.ones(3)], [2], *arguments)
    with pytest.raises(ValueError, match="one for each gradient"):
        _core.nn_sgd_step(flat, [np.ones(3)], [], *arguments)
    with pytest.raises(ValueError, match="one floating type"):
        _core.nn_sgd_step(flat, [np.ones(3, np.float32)], [0], *arguments)
    with pytest.raises(ValueError, match="another size"):
        _core.nn_sgd_step(flat, [np.ones(3)], [0], np.zeros(3), *arguments[1:])
    with pytest.raises(ValueError, match="writeable"):
        _core.nn_scale([np.broadcast_to(np.ones(1), 1)], 2.0, 1)
