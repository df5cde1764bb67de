"""Epochs that are one native call: the numbers of the loop over batches, and when they are left to it."""

import signal
import threading

import numpy as np
import pytest
from training_problem import CLASSES, VALUES, X, arrays, assert_same_state

from fastml import nn
from fastml.nn import callbacks, optim
from fastml.nn._native_epochs import NativeEpochs
from fastml.nn.training import fit

FLAGS = (X[:, :3] > 0).astype(np.float64)
PAIRS = np.stack([VALUES, X[:, 0] * X[:, 1]], axis=1)
LOSSES = {
    "cross_entropy": (nn.cross_entropy, CLASSES, 3),
    "CrossEntropyLoss": (nn.CrossEntropyLoss(), CLASSES.astype(np.uint8), 3),
    "mse_loss": (nn.mse_loss, VALUES, 1),
    "MSELoss": (nn.MSELoss(), PAIRS, 2),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), FLAGS, 3),
    "one BCE": (nn.BCEWithLogitsLoss(), FLAGS[:, 0], 1),
}
OPTIMIZERS = {
    "Adam": lambda p: optim.Adam(p, lr=0.02),
    "Adam with a large eps": lambda p: optim.Adam(p, lr=0.02, betas=(0.8, 0.9), eps=0.1),
    "scikit-learn's Adam": lambda p: optim.Adam(p, lr=0.02, eps=0.1, eps_after_correction=False),
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
}


class EveryBatch(callbacks.Callback):
    """What makes a training go through the loop over batches."""

    def on_batch_end(self, training):
        assert np.isfinite(training.batch_loss)


class Decay(callbacks.Callback):
    """Another learning rate in each epoch."""

    def on_epoch_end(self, training):
        training.optimizer.param_groups[0]["lr"] *= 0.7


@pytest.fixture
def native_runs(monkeypatch):
    """Count the epochs that were native calls."""
    seen = []
    run = NativeEpochs.run
    monkeypatch.setattr(NativeEpochs, "run", lambda self: seen.append(self) or run(self))
    return seen


def network(n_outputs, activation=nn.Tanh, dtype=np.float64):
    rng = np.random.default_rng(0)
    layers = [nn.Linear(4, 9, rng=rng), activation(), nn.Linear(9, 5, rng=rng), activation()]
    return nn.Sequential(*layers, nn.Linear(5, n_outputs, rng=rng)).astype(dtype)


def trained(loss, y, n_outputs, optimizer, *others, dtype=np.float64, epochs=4, activation=nn.Tanh, **options):
    module = network(n_outputs, activation, dtype)
    optimizer = optimizer(module.parameters())
    options = {"batch_size": 16, "seed": 0, **options}
    history = fit(module, X.astype(dtype), y, loss, optimizer, epochs, callbacks=[Decay(), *others], **options)
    return module, optimizer, history


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_they_are_the_loop_over_batches(loss, optimizer, dtype, native_runs):
    native = trained(*LOSSES[loss], OPTIMIZERS[optimizer], dtype=dtype)
    assert len(native_runs) == 4
    looped = trained(*LOSSES[loss], OPTIMIZERS[optimizer], EveryBatch(), dtype=dtype)
    assert len(native_runs) == 4
    # Sums in another order: a few roundings a step, over 24 steps.
    tolerance = {"rtol": 1e-10, "atol": 1e-11} if dtype == np.float64 else {"rtol": 1e-3, "atol": 2e-4}
    for name, array in arrays(looped[0]).items():
        np.testing.assert_allclose(arrays(native[0])[name], array, **tolerance, err_msg=name)
    np.testing.assert_allclose(native[2]["loss"], looped[2]["loss"], rtol=tolerance["rtol"])
    ours, theirs = native[1].state_dict()["state"], looped[1].state_dict()["state"]
    assert ours.keys() == theirs.keys()
    for number, states in theirs.items():
        assert ours[number].keys() == states.keys()
        for name, state in states.items():
            np.testing.assert_allclose(ours[number][name], state, **tolerance, err_msg=name)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.Tanh])
@pytest.mark.parametrize("shuffle", [False, True])
def test_activations_and_orders(activation, shuffle, native_runs):
    options = {"activation": activation, "shuffle": shuffle}
    native, _, _ = trained(*LOSSES["cross_entropy"], OPTIMIZERS["Adam"], **options)
    assert len(native_runs) == 4
    looped, _, _ = trained(*LOSSES["cross_entropy"], OPTIMIZERS["Adam"], EveryBatch(), **options)
    for name, array in arrays(looped).items():
        np.testing.assert_allclose(arrays(native)[name], array, rtol=1e-10, atol=1e-11)


def test_a_linear_model_without_hidden_layers(native_runs):
    module = nn.Sequential(nn.Linear(4, 1)).double()
    fit(module, X, VALUES, nn.mse_loss, optim.SGD(module.parameters(), lr=0.1), 300, 90)
    assert len(native_runs) == 300
    best, *_ = np.linalg.lstsq(np.c_[X, np.ones(90)], VALUES, rcond=None)
    np.testing.assert_allclose(module[0].weight.data[0], best[:4], atol=1e-8)


def test_a_step_of_the_loop_after_a_native_epoch(native_runs):
    """They can take turns: parameters, moments and counts of steps are where the optimizer has them."""
    native, optimizer, _ = trained(*LOSSES["MSELoss"], OPTIMIZERS["Adam"], epochs=2)
    looped, other, _ = trained(*LOSSES["MSELoss"], OPTIMIZERS["Adam"], EveryBatch(), epochs=2)
    assert len(native_runs) == 2
    for module, its in ((native, optimizer), (looped, other)):
        fit(module, X, PAIRS, nn.mse_loss, its, 2, 16, seed=1, callbacks=[EveryBatch()])
        fit(module, X, PAIRS, nn.mse_loss, its, 2, 16, seed=2)
    for name, array in arrays(looped).items():
        np.testing.assert_allclose(arrays(native)[name], array, rtol=1e-10, atol=1e-11)


def test_a_resumed_training_ends_with_the_same_bits(tmp_path, native_runs):
    whole, _, history = trained(*LOSSES["MSELoss"], OPTIMIZERS["Adam"], epochs=5)
    file = tmp_path / "run.npz"
    trained(*LOSSES["MSELoss"], OPTIMIZERS["Adam"], callbacks.Checkpoint(file), epochs=3)
    module, _, resumed = trained(
        *LOSSES["MSELoss"], OPTIMIZERS["Adam"], callbacks.Checkpoint(file), epochs=5, resume=file
    )
    assert len(native_runs) == 10
    assert_same_state(arrays(module), arrays(whole))
    assert resumed["loss"] == history["loss"]


UNKNOWN = {
    "label smoothing": {"loss": nn.CrossEntropyLoss(label_smoothing=0.1)},
    "weights of classes": {"loss": nn.CrossEntropyLoss(weight=np.ones(3))},
    "a loss of the user's": {"loss": lambda outputs, targets: nn.cross_entropy(outputs, targets)},
    "Adam with weight_decay": {"optimizer": lambda p: optim.Adam(p, weight_decay=0.1)},
    "Adam with amsgrad": {"optimizer": lambda p: optim.Adam(p, amsgrad=True)},
    "AdamW": {"optimizer": lambda p: optim.AdamW(p)},
    "RMSprop": {"optimizer": lambda p: optim.RMSprop(p)},
    "SGD that climbs": {"optimizer": lambda p: optim.SGD(p, lr=0.1, maximize=True)},
    "SGD with dampening": {"optimizer": lambda p: optim.SGD(p, lr=0.1, momentum=0.5, dampening=0.5)},
    "some of the parameters": {"optimizer": lambda p: optim.SGD(list(p)[:2])},
    "several groups": {"optimizer": lambda p: optim.SGD([{"params": [q]} for q in p])},
    "clip_norm": {"clip_norm": 1.0},
    "clip_value": {"clip_value": 1.0},
    "accumulate": {"accumulate": 2},
    "drop_last": {"drop_last": True},
    "GELU": {"activation": nn.GELU},
    "Dropout": {"activation": lambda: nn.Dropout(0.5)},
}


@pytest.mark.parametrize("change", UNKNOWN.values(), ids=UNKNOWN)
def test_what_the_kernel_does_not_know_is_left_to_the_loop(change, native_runs):
    options = {"loss": nn.cross_entropy, "optimizer": lambda p: optim.Adam(p), **change}
    loss, optimizer = options.pop("loss"), options.pop("optimizer")
    _, _, history = trained(loss, CLASSES, 3, optimizer, epochs=1, **options)
    assert native_runs == []
    assert len(history) == 1


def test_modules_that_the_kernel_does_not_know(native_runs):
    shared = nn.Linear(4, 4)

    class Own(nn.Sequential):
        def forward(self, x):
            return super().forward(x) * 2

    frozen = nn.Sequential(nn.Linear(4, 3))
    frozen[0].bias.requires_grad_(False)
    hooked = nn.Sequential(nn.Linear(4, 3))
    hooked[0].weight.register_hook(lambda gradient: gradient * 0)
    before = hooked[0].weight.data.copy()
    for module in (
        nn.Sequential(nn.Linear(4, 3, bias=False)),
        nn.Sequential(shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(4, 3)),
        nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 3)),
        nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3)),
        nn.Sequential(nn.Linear(4, 3), nn.ReLU()),
        nn.Sequential(nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3)),
        nn.Linear(4, 3),
        Own(nn.Linear(4, 3)),
        frozen,
        hooked,
    ):
        fit(module, X.astype(np.float32), CLASSES, nn.cross_entropy, optim.SGD(module.parameters(), lr=0.1), 1)
    fit(frozen.double(), X.astype(np.float32), CLASSES, nn.cross_entropy, optim.SGD(frozen.parameters(), lr=0.1), 1)
    assert native_runs == []
    np.testing.assert_array_equal(hooked[0].weight.data, before)


def test_a_callback_that_changes_the_optimizer_is_heeded(native_runs):
    class Freeze(callbacks.Callback):
        def on_epoch_end(self, training):
            training.module[0].weight.requires_grad_(False)

    module = network(3)
    optimizer = optim.SGD(module.parameters(), lr=0.1)
    after_first = []

    class Note(callbacks.Callback):
        def on_epoch_end(self, training):
            after_first.append(training.module[0].weight.data.copy())

    fit(module, X, CLASSES, nn.cross_entropy, optimizer, 3, callbacks=[Freeze(), Note()])
    assert len(native_runs) == 1
    np.testing.assert_array_equal(after_first[0], after_first[2])


def test_classes_out_of_range_are_the_loop_s_error():
    with pytest.raises((ValueError, IndexError), match="classes must lie in"):
        trained(nn.cross_entropy, CLASSES + 1, 3, OPTIMIZERS["SGD"])


def test_a_loss_that_is_not_finite_says_where(native_runs):
    module = network(1, nn.ReLU)
    optimizer = optim.SGD(module.parameters(), lr=1e160)
    with pytest.raises(nn.NonFiniteLossError, match=r"first not finite: ") as caught, np.errstate(all="ignore"):
        fit(module, X, VALUES * 1e5, nn.mse_loss, optimizer, 5, 16, seed=0)
    assert len(native_runs) == caught.value.epoch
    other = network(1, nn.ReLU)
    optimizer = optim.SGD(other.parameters(), lr=1e160)
    with pytest.raises(nn.NonFiniteLossError) as looped, np.errstate(all="ignore"):
        fit(other, X, VALUES * 1e5, nn.mse_loss, optimizer, 5, 16, seed=0, callbacks=[EveryBatch()])
    assert str(caught.value) == str(looped.value)


def test_ctrl_c_ends_an_epoch_between_batches(native_runs):
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(40_000, 64))
    module = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 1)).double()
    optimizer = optim.Adam(module.parameters())
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(module, samples, samples[:, 0] * samples[:, 1], nn.mse_loss, optimizer, 10_000, 20)
    timer.join()
    assert caught.value.history.stopped == "interrupted"
    assert len(native_runs) == len(caught.value.history) + 1
    counts = {state["step"] for state in optimizer.state_dict()["state"].values()}
    (count,) = counts
    # Whole epochs of 2000 steps, and those of the epoch that was cut off.
    assert 2000 * len(caught.value.history) <= count <= 2000 * len(native_runs)
    assert count > 0
