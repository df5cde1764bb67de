"""What layers, schedules and the training loop refuse, and what their errors say."""

import copy

import numpy as np
import pytest
from training_problem import CLASSES, X, arrays, assert_same_state, network, trained

from fastml import nn
from fastml.nn import Linear, Sequential, callbacks, functional as F, optim, schedules
from fastml.nn.losses import CrossEntropyLoss
from fastml.nn.training import NonFiniteLossError, fit

ROWS = np.random.default_rng(0).normal(size=(4, 3))


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
@pytest.mark.parametrize("axis", [2, -3, 5])
def test_softmax_has_the_axes_of_its_input(function, axis):
    with pytest.raises(IndexError, match=f"softmax: axis {axis} is not one of 2 axes"):
        function(ROWS, axis)


def test_flatten_has_the_axes_of_its_input():
    with pytest.raises(IndexError, match="flatten: axis 2 is not one of 2 axes"):
        F.flatten(ROWS, 2)
    with pytest.raises(ValueError, match="start_dim 1 comes behind end_dim 0"):
        F.flatten(ROWS, 1, 0)
    assert F.flatten(np.float64(2.0)).shape == (1,)


@pytest.mark.parametrize(
    "compute",
    [F.relu, F.sigmoid, F.softmax, F.dropout, lambda x: nn.mse_loss(x, x), lambda x: nn.cross_entropy(x, [0, 1])],
)
@pytest.mark.parametrize("kind", ["int64", "bool"])
def test_coarse_operations_name_the_type_that_they_do_not_take(compute, kind):
    with pytest.raises(TypeError, match=f"expected tensors of float32 or float64, got {kind}"):
        compute(np.ones((2, 2), kind))


def test_a_batch_of_one_sample_names_the_layer():
    norm = nn.BatchNorm1d(3, dtype=np.float64)
    module = nn.Sequential({"body": nn.Sequential(norm)})
    with pytest.raises(nn.ShapeError, match=r"BatchNorm1d.*'body\.0'.*\(1, 3\).*more than one value per channel"):
        module(ROWS[:1])
    assert norm.num_batches_tracked.data == 0
    assert module.eval()(ROWS[:1]).shape == (1, 3)


def test_a_norm_takes_a_length_of_numpy():
    assert nn.LayerNorm(np.int64(3)).normalized_shape == (3,)
    assert F.layer_norm(ROWS, np.int64(3)).shape == ROWS.shape


@pytest.mark.parametrize("name", ["forward", "training", "a.b", ""])
def test_names_that_no_module_can_have(name):
    with pytest.raises(ValueError, match="no module can be named"):
        Sequential({name: Linear(3, 2)})


def test_append_replaces_nothing():
    module = Sequential({"1": Linear(3, 2)})
    with pytest.raises(ValueError, match=r"'1'.* is taken"):
        module.append(nn.ReLU())
    with pytest.raises(TypeError, match="expected modules"):
        module.append(F.relu)
    assert len(module) == 1
    assert len(Sequential({})) == 0


@pytest.mark.parametrize(
    ("schedule", "arguments", "name"),
    [
        (schedules.StepLR, {"step_size": 0}, "step_size"),
        (schedules.StepLR, {"step_size": -1}, "step_size"),
        (schedules.InverseSqrtLR, {"timescale": 0}, "timescale"),
        (schedules.LinearLR, {"total_iters": 0}, "total_iters"),
        (schedules.CosineAnnealingLR, {"T_max": 0}, "T_max"),
        (schedules.CosineAnnealingLR, {"T_max": 5, "warmup_steps": -1}, "warmup_steps"),
        (schedules.ReduceLROnPlateau, {"factor": -0.5}, "factor"),
    ],
)
def test_lengths_that_schedules_cannot_have(schedule, arguments, name):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        schedule(optim.SGD([nn.Parameter(ROWS)]), **arguments)


def test_least_rates_in_an_array():
    steps = optim.SGD([{"params": [nn.Parameter(ROWS)]}, {"params": [nn.Parameter(ROWS)]}], lr=1.0)
    schedule = schedules.ReduceLROnPlateau(steps, patience=0, min_lr=np.array([0.5, 0.01]))
    schedule.step(1.0)
    schedule.step(1.0)
    assert schedule.get_last_lr() == [0.5, 0.1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clip_norm": -1.0}, "clip_norm: expected a number above 0"),
        ({"clip_norm": float("nan")}, "clip_norm: expected a number above 0"),
        ({"clip_value": 0}, "clip_value: expected a number above 0"),
        ({"validation": 1}, "share that leaves samples"),
        ({"validation": "tenth"}, "validation: expected"),
        ({"validation": (X,)}, "validation: expected"),
        ({"validation": (X[:0], CLASSES[:0])}, "validation: expected samples"),
        ({"validation": (X, CLASSES[:5])}, "as many targets"),
        ({"loss": CrossEntropyLoss(reduction="none")}, r"loss: expected a tensor of one number.*shape \(16,\)"),
        ({"loss": lambda outputs, targets: 1.0}, "loss: expected a tensor of one number"),
    ],
)
def test_a_training_refuses(arguments, message):
    module = network()
    before = arrays(module)
    with pytest.raises(ValueError, match=message):
        trained(2, module=module, **arguments)
    assert_same_state(arrays(module), before)


def test_a_training_refuses_types():
    for arguments in ({"accumulate": 1.5}, {"epochs": 2.5}, {"callbacks": [callbacks.ProgressBar]}):
        with pytest.raises(TypeError):
            trained(**arguments)


def test_a_share_of_any_real_type():
    _, history = trained(1, validation=np.float32(0.25))
    assert "validation_loss" in history


@pytest.mark.parametrize("every", ["epoch", "step"], ids=["native", "batches"])
def test_a_last_step_into_infinity_is_an_error(every):
    module = network()
    steps = optim.SGD(module.parameters(), lr=3e38)
    constant = callbacks.LRSchedule(schedules.StepLR(steps, 1000), every=every)
    with pytest.raises(NonFiniteLossError, match=r"epoch 1, batch 1; first not finite: parameter .*after this batch"):
        fit(module, X * 1e3, CLASSES, nn.cross_entropy, steps, 1, 90, callbacks=[constant], seed=0)


def test_the_weight_that_is_not_finite_is_named():
    weight = np.ones(90)
    weight[40] = np.nan
    with pytest.raises(NonFiniteLossError, match=r"the sample's weight, in row \d+ of the batch"):
        trained(sample_weight=weight, loss=CrossEntropyLoss(reduction="none"))


@pytest.mark.parametrize("make", [lambda: callbacks.EarlyStopping(patience=0), lambda: callbacks.Checkpoint("x", 0)])
def test_callbacks_need_an_epoch(make):
    with pytest.raises(ValueError, match="expected at least 1"):
        make()


def test_a_copy_of_a_callback_keeps_its_state_to_itself(tmp_path):
    for callback in (callbacks.EarlyStopping(), callbacks.Checkpoint(tmp_path / "x")):
        before = callback.state_dict()
        state = {**before, "best": 0.25}
        copy.copy(callback).load_state_dict(state)
        assert callback.state_dict() == before
