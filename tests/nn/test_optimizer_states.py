"""Optimizers that are copied, and states that an optimizer refuses."""

import copy
import pickle

import numpy as np
import pytest
from training_problem import CLASSES, X, network

from fastml import nn
from fastml.nn import optim

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
    "adam": lambda p: optim.Adam(p, amsgrad=True),
}
COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda both: pickle.loads(pickle.dumps(both))}


def step(module, optimizer):
    optimizer.zero_grad()
    nn.cross_entropy(module(X), CLASSES).backward()
    optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_both_goes_on_alike(name, way):
    module = network(dtype=np.float64)
    optimizer = OPTIMIZERS[name](module.parameters())
    step(module, optimizer)
    other, its_optimizer = COPIES[way]((module, optimizer))
    before = module[0].weight.data.copy()
    step(other, its_optimizer)
    np.testing.assert_array_equal(module[0].weight.data, before)
    step(module, optimizer)
    assert (module[0].weight.data != before).any()
    for a, b in zip(module.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_copy_keeps_gradients():
    parameter = nn.Parameter(np.ones(3))
    optimizer = optim.SGD([parameter], lr=1.0)
    (parameter * 2).sum().backward()
    other = copy.deepcopy(optimizer)
    other.step()
    np.testing.assert_array_equal(other.param_groups[0]["params"][0].data, [-1, -1, -1])
    np.testing.assert_array_equal(parameter.data, [1, 1, 1])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: state["state"][1].update(exp_avg=np.full(16, "a")), "exp_avg of type <U1"),
        (lambda state: state["state"][1].update(exp_avg=np.zeros(3)), r"exp_avg of shape \(3,\)"),
        (lambda state: state["state"][3].update(step="many"), "many"),
        (lambda state: state["param_groups"][0].update(lr=-1.0), "Invalid learning rate: -1"),
        (lambda state: state["param_groups"][0].update(betas=(0.9, 1.0)), "Invalid beta parameter at index 1"),
    ],
)
def test_a_damaged_state_changes_nothing(damage, message):
    module = network(dtype=np.float64)
    optimizer = optim.Adam(module.parameters())
    step(module, optimizer)
    damaged = copy.deepcopy(optimizer.state_dict())
    damage(damaged)
    step(module, optimizer)
    before = pickle.dumps(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(damaged)
    assert pickle.dumps(optimizer.state_dict()) == before


def test_a_hook_keeps_the_shape():
    x = nn.Parameter(np.ones(2))
    x.register_hook(lambda gradient: np.ones(3))
    with pytest.raises(ValueError, match=r"hook returned shape \(3,\) for a gradient of shape \(2,\)"):
        (x * 2).sum().backward()
    assert x.grad is None


def test_a_bias_that_does_not_fit_is_named():
    for compute in (
        lambda bias: nn.functional.layer_norm(X, 4, None, bias),
        lambda bias: nn.functional.batch_norm(X, None, None, None, bias),
    ):
        with pytest.raises(ValueError, match=r"bias of shape \(3,\)"):
            compute(nn.Parameter(np.zeros(3)))
