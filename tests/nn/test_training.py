"""The training loop: what it computes, that it repeats and resumes bit for bit, and how it ends when it goes wrong."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from training_problem import CLASSES, VALUES, X, arrays, assert_same_state, network, trained

from fastml import nn
from fastml.nn import Linear, ReLU, Sequential, callbacks, checkpoints, init, optim, schedules
from fastml.nn.history import History
from fastml.nn.losses import cross_entropy, mse_loss
from fastml.nn.module import Module
from fastml.nn.training import NonFiniteLossError, Predictor, fit


def without_times(history):
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history]


def test_learns():
    module, history = trained(30, validation=(X, CLASSES))
    assert len(history) == 30
    assert history["epoch"] == list(range(1, 31))
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert history[-1]["validation_loss"] == pytest.approx(
        cross_entropy(module(X.astype(np.float32)), CLASSES).item(), rel=1e-5
    )
    assert history["lr"] == [0.05] * 30
    assert not module.training
    predictor = Predictor(module, CLASSES)
    assert np.mean(predictor.predict(X) == CLASSES) > 0.95
    np.testing.assert_allclose(predictor.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize("y", [VALUES, VALUES[:, np.newaxis]], ids=["vector", "column"])
def test_learns_values(y):
    module, history = trained(30, module=network(1), y=y, loss=mse_loss)
    assert history[-1]["loss"] < 0.1
    predicted = Predictor(module, y).predict(X)
    assert predicted.shape == (90,)
    assert np.mean((predicted - VALUES) ** 2) < 0.1


def test_is_the_loop_written_out():
    """Full batches in order: no randomness, so that a loop of a few lines has to come to the same parameters."""
    module, history = trained(5, module=network(1, dtype=np.float64), y=VALUES, loss=mse_loss, shuffle=False)
    other = network(1, dtype=np.float64)
    optimizer = optim.Adam(other.parameters(), lr=0.05)
    for epoch in range(5):
        total = 0.0
        for start in range(0, 90, 16):
            part = slice(start, start + 16)
            optimizer.zero_grad()
            loss = mse_loss(other(X[part]), VALUES[part, np.newaxis])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(X[part])
        assert history[epoch]["loss"] == pytest.approx(total / 90, rel=1e-12)
    for name, array in arrays(other).items():
        np.testing.assert_allclose(arrays(module)[name], array, rtol=1e-9, atol=1e-12)


def test_accumulated_gradients_are_those_of_larger_batches():
    def result(batch_size, **options):
        module = network(1, dtype=np.float64)
        optimizer = optim.SGD(module.parameters(), lr=0.1)
        fit(module, X, VALUES, mse_loss, optimizer, 3, batch_size, shuffle=False, **options)
        return arrays(module)

    # 90 samples: the last group has two batches, of 15 in all, the last of them not full.
    expected, actual = result(25), result(5, accumulate=5)
    for name in expected:
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-9, atol=1e-12)
    expected, actual = result(33), result(11, accumulate=3)
    for name in expected:
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-9, atol=1e-12)


def test_clipping():
    """With SGD of rate 1 and one batch, the step is the clipped gradient itself."""
    for options in ({"clip_norm": 0.01}, {"clip_value": 0.001}, {"clip_norm": 1e9, "clip_value": 1e9}):
        module = network(1, dtype=np.float64)
        before = arrays(module)
        fit(module, X, VALUES, mse_loss, optim.SGD(module.parameters(), lr=1), 1, 90, **options)
        step = np.concatenate([(arrays(module)[name] - before[name]).ravel() for name in before])
        if options.get("clip_norm") == 0.01:
            assert np.linalg.norm(step) == pytest.approx(0.01, rel=1e-3)
        elif options.get("clip_value") == 0.001:
            assert abs(step).max() == pytest.approx(0.001, rel=1e-6)
        else:
            assert np.linalg.norm(step) > 0.1


@pytest.mark.parametrize("validation", [None, 0.3], ids=["train", "share"])
def test_a_seed_repeats_bit_for_bit(validation):
    results = [trained(3, module=network(dropout=True), seed=5, validation=validation) for _ in range(2)]
    assert_same_state(arrays(results[0][0]), arrays(results[1][0]))
    assert without_times(results[0][1]) == without_times(results[1][1])
    other = trained(3, module=network(dropout=True), seed=6, validation=validation)
    assert without_times(other[1]) != without_times(results[0][1])


def make_callbacks(path, optimizer):
    return [
        callbacks.LRSchedule(schedules.CosineAnnealingLR(optimizer, 6, warmup_steps=2)),
        callbacks.LRSchedule(schedules.ReduceLROnPlateau(optimizer, patience=0)),
        callbacks.EarlyStopping(patience=4),
        callbacks.Checkpoint(path),
    ]


class StopAfter(callbacks.Callback):
    """Ends training after an epoch, as a kill would."""

    def __init__(self, epoch=None):
        self.epoch = epoch

    def on_epoch_begin(self, training):
        if self.epoch is not None and training.epoch > self.epoch:
            raise RuntimeError("killed")


@pytest.mark.parametrize("validation", [(X[:30], CLASSES[:30]), 0.25], ids=["samples", "share"])
@pytest.mark.parametrize("stop", [1, 4])
def test_resumes_bit_for_bit(tmp_path, stop, validation):
    def run(path, stop_after, resume=None):
        module = network(dropout=True)
        optimizer = optim.AdamW(module.parameters(), lr=0.05, amsgrad=True)
        history = fit(
            module,
            X,
            CLASSES,
            cross_entropy,
            optimizer,
            8,
            16,
            validation=validation,
            callbacks=[*make_callbacks(path, optimizer), StopAfter(stop_after)],
            seed=3,
            accumulate=2,
            clip_norm=1.0,
            resume=resume,
        )
        return arrays(module), without_times(history), optimizer.state_dict()

    whole = run(tmp_path / "whole.npz", None)
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "part.npz", stop)
    assert checkpoints.load_checkpoint(tmp_path / "part.npz")["epoch"] == stop
    resumed = run(tmp_path / "part.npz", None, resume=tmp_path / "part.npz")
    assert_same_state(whole[0], resumed[0])
    assert resumed[1] == whole[1]
    for number, entries in whole[2]["state"].items():
        for name, value in entries.items():
            np.testing.assert_array_equal(resumed[2]["state"][number][name], value)
    assert len(whole[1]) > stop + 1
    # A finished one has nothing left to do.
    finished = run(tmp_path / "part.npz", None, resume=tmp_path / "whole.npz")
    assert_same_state(whole[0], finished[0])


def test_training_that_was_stopped_stays_so(tmp_path):
    path = tmp_path / "a.npz"

    def make():
        return [callbacks.EarlyStopping(patience=2), callbacks.Checkpoint(path)]

    validation = (X[:30], np.roll(CLASSES[:30], 1))  # nothing to learn there
    module, history = trained(60, validation=validation, callbacks=make())
    assert len(history) < 60
    resumed, again = trained(60, validation=validation, callbacks=make(), resume=path)
    assert without_times(again) == without_times(history)
    assert again.stopped == history.stopped == "no improvement for 2 epochs"
    assert_same_state(arrays(resumed), arrays(module))


def test_a_checkpoint_of_other_arguments_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    trained(2, callbacks=[callbacks.Checkpoint(path)])
    module = network()
    before = arrays(module)
    with pytest.raises(ValueError, match=r"callbacks \['Checkpoint'\], this one has \[\]"):
        trained(2, module=module, resume=path)
    optimizer, saving = optim.Adam(module.parameters()), [callbacks.Checkpoint(path)]
    with pytest.raises(ValueError, match="n_samples 90, this one has 60"):
        fit(module, X[:60], CLASSES[:60], cross_entropy, optimizer, 2, 16, callbacks=saving, resume=path)
    other = network(5)
    with pytest.raises(
        ValueError, match=r"nothing was loaded:\n  shape of 2.weight: \(3, 16\) given, \(5, 16\) expected"
    ):
        trained(2, module=other, callbacks=saving, resume=path)
    assert_same_state(arrays(other), arrays(network(5)))
    # What has no state to resume may come and go.
    trained(2, callbacks=[callbacks.ProgressBar(io.StringIO()), *saving, StopAfter()], resume=path)
    with pytest.raises(ValueError, match="dtype float32, this one has float64"):
        trained(2, module=network(dtype=np.float64), callbacks=saving, resume=path)
    with pytest.raises(ValueError, match="batch_size 16, this one has 32"):
        fit(module, X, CLASSES, cross_entropy, optimizer, 2, 32, callbacks=saving, resume=path)
    assert_same_state(arrays(module), before)
    checkpoints.save_checkpoint(path, [1])
    with pytest.raises(ValueError, match="not of a training"):
        trained(2, module=module, callbacks=saving, resume=path)


def test_a_checkpoint_of_another_optimizer_changes_nothing(tmp_path):
    path, draws = tmp_path / "a.npz", nn.default_generator()
    trained(3, callbacks=[callbacks.Checkpoint(path), callbacks.EarlyStopping()])

    def refused(match, optimizer):
        nn.manual_seed(11)
        before = arrays(module), optimizer.state_dict(), draws.bit_generator.state
        stopping = callbacks.EarlyStopping()
        saving = [callbacks.Checkpoint(path), stopping]
        with pytest.raises(ValueError, match=match):
            fit(module, X, CLASSES, cross_entropy, optimizer, 6, 16, callbacks=saving, resume=path)
        assert_same_state(arrays(module), before[0])
        assert (optimizer.state_dict(), draws.bit_generator.state) == before[1:]
        assert stopping.best_epoch is None

    module = network(seed=3)
    refused("optimizer Adam, this one has SGD", optim.SGD(module.parameters(), lr=0.1))
    module = network(seed=3)
    refused("number of parameter groups", optim.Adam([{"params": [p]} for p in module.parameters()]))


def test_a_killed_process_leaves_the_last_whole_checkpoint(tmp_path):
    path = tmp_path / "last.npz"
    script = f"""
        import os, signal, sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        import training_problem as t
        from fastml.nn import callbacks

        class Kill(callbacks.Callback):
            def on_batch_end(self, training):
                if training.epoch == 3 and training.batch == 2:
                    os.kill(os.getpid(), signal.SIGKILL)

        t.trained(callbacks=[callbacks.Checkpoint({str(path)!r}), Kill()])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert checkpoints.load_checkpoint(path)["epoch"] == 2
    assert os.listdir(tmp_path) == ["last.npz"]
    resumed, _ = trained(callbacks=[callbacks.Checkpoint(path)], resume=path)
    whole, _ = trained()
    assert_same_state(arrays(resumed), arrays(whole))


class Interrupting(callbacks.Callback):
    def on_batch_end(self, training):
        if (training.epoch, training.batch) == (3, 2):
            self.module = arrays(training.module)
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c():
    """Set Python's own handler: a shell starts what runs in its background with Ctrl-C ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_the_model_of_the_last_batch():
    module, callback, history = network(), Interrupting(), History()
    stopping = callbacks.EarlyStopping(patience=1000)
    with pytest.raises(KeyboardInterrupt) as caught:
        trained(module=module, callbacks=[callback, stopping], history=history)
    assert caught.value.history is history
    assert history["epoch"] == [1, 2]
    assert history.stopped == "interrupted"
    assert_same_state(arrays(module), callback.module)
    assert not module.training
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_waits_for_the_end_of_a_step():
    """Two types of parameters, hence two native calls in a step, and Ctrl-C between them."""

    class Interrupted(optim.SGD):
        def _step(self, group, flat, gradient_factor, n_threads):
            super()._step(group, flat, gradient_factor, n_threads)
            signal.raise_signal(signal.SIGINT)

    module = network(1)
    for name, p in module.named_parameters():
        if name.endswith("bias"):
            init.zeros_(p)
    optimizer = Interrupted([{"params": [p]} for p in module.parameters()], lr=0.1)
    before = arrays(module)
    with pytest.raises(KeyboardInterrupt):
        fit(module, X, VALUES, mse_loss, optimizer, 1, 16, seed=0)
    for name, array in arrays(module).items():
        assert (array != before[name]).any(), f"{name} was not stepped"


def test_a_handler_of_the_users_own_stays():
    seen = []
    previous = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        _, history = trained(3, callbacks=[Interrupting()])
    finally:
        signal.signal(signal.SIGINT, previous)
    assert seen == [1]
    assert len(history) == 3


def test_trains_in_another_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(trained(2)))
    thread.start()
    thread.join()
    assert_same_state(arrays(results[0][0]), arrays(trained(2)[0]))


class TestNonFinite:
    def failure(self, module=None, X=X, y=CLASSES, loss=cross_entropy, lr=0.05, optimizer=None, epochs=3):
        module = network() if module is None else module
        optimizer = optim.SGD(module.parameters(), lr=lr) if optimizer is None else optimizer
        with pytest.raises(NonFiniteLossError) as caught, np.errstate(all="ignore"):
            fit(module, X, y, loss, optimizer, epochs, 30, shuffle=False)
        return caught.value

    def test_input(self):
        bad = X.copy()
        bad[65, 2] = np.inf
        error = self.failure(X=bad)
        assert (error.epoch, error.batch) == (1, 3)
        assert "in epoch 1, batch 3; first not finite: the input, in row 5 of the batch" in str(error)

    def test_target(self):
        bad = VALUES.copy()
        bad[31] = np.nan
        error = self.failure(module=network(1), y=bad, loss=mse_loss)
        assert (error.epoch, error.batch) == (1, 2)
        assert error.culprit == "the target, in row 1 of the batch"

    def test_parameter(self):
        class Breaking(optim.SGD):
            def step(self, *args, **kwargs):
                super().step(*args, **kwargs)
                broken.data[1, 2] = np.nan

        module = network()
        broken = dict(module.named_parameters())["2.weight"]
        error = self.failure(module=module, optimizer=Breaking(module.parameters(), lr=0.1))
        assert (error.epoch, error.batch) == (1, 2)
        assert error.culprit == "parameter 2.weight, before this batch"

    def test_activation(self):
        class Root(Module):
            def forward(self, x):
                return (x - 100.0).sqrt()

        module = Sequential(Linear(4, 8, rng=0), ReLU(), Root(), Linear(8, 3, rng=1))
        error = self.failure(module=module)
        assert error.culprit == "the output of 2 (Root)"
        assert "forward" not in vars(module[2])

    def test_activation_computed_with_a_layer(self):
        module = network()
        dict(module.named_parameters())["0.weight"].data[:] = 3e38
        error = self.failure(module=module, X=np.abs(X) + 10)
        assert error.culprit == "the output of 0 (Linear)"

    def test_loss(self):
        error = self.failure(loss=lambda outputs, targets: (outputs - outputs).sum() / 0.0)
        assert error.culprit == "the loss itself, of finite outputs"

    def test_history_of_the_epochs_before(self):
        class Late(callbacks.Callback):
            def on_epoch_begin(self, training):
                if training.epoch == 3:
                    training.module[0].weight.data[:] = np.nan

        module = network()
        with pytest.raises(NonFiniteLossError, match="epoch 3, batch 1") as caught:
            trained(module=module, callbacks=[Late()])
        assert caught.value.history["epoch"] == [1, 2]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="accumulate: expected at least 1, got 0"):
        trained(accumulate=0)
    with pytest.raises(ValueError, match=r"leaves samples on both sides, got 0\.001"):
        trained(validation=0.001)
    with pytest.raises(ValueError, match=r"X has 90 samples, y has shape \(80,\)"):
        trained(y=CLASSES[:80])
    module = network()
    optimizer = optim.SGD(module.parameters())
    with pytest.raises(ValueError, match="expected a batch of samples at least, got 90"):
        fit(module, X, CLASSES, cross_entropy, optimizer, 1, 100, drop_last=True)
