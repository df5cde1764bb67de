"""Callbacks, and the history they write to."""

import io
import sys

import numpy as np
import pytest
from training_problem import CLASSES, VALUES, X, arrays, assert_same_state, network, trained

from fastml.nn import callbacks, checkpoints, optim, schedules
from fastml.nn.history import History
from fastml.nn.losses import cross_entropy, mse_loss
from fastml.nn.training import fit


class Scripted(callbacks.Callback):
    """Gives each epoch a number from a list."""

    def __init__(self, numbers):
        self.numbers, self.states = numbers, []

    def on_epoch_end(self, training):
        training.numbers["number"] = self.numbers[training.epoch - 1]
        self.states.append(arrays(training.module))


@pytest.mark.parametrize(
    ("mode", "numbers", "last", "best"),
    [("min", [3, 2, 2, 2.5, 1, 0], 4, 2), ("max", [3, 2, 4, 4.0, 3, 9], 5, 3), ("min", [9, 8, 7, 6, 5, 4], 6, 6)],
)
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping(mode, numbers, last, best, restore):
    script = Scripted(numbers)
    stopping = callbacks.EarlyStopping("number", patience=2, mode=mode, restore_best=restore)
    for _ in range(2):  # a second training begins anew
        script.states.clear()
        module, history = trained(6, callbacks=[script, stopping])
        assert len(history) == last
        assert stopping.best_epoch == best
        assert stopping.best == numbers[best - 1]
        assert history.stopped == (None if last == 6 else "no improvement for 2 epochs")
        assert_same_state(arrays(module), script.states[(best if restore else last) - 1])


def test_early_stopping_watches_the_validation_loss():
    stopping = callbacks.EarlyStopping(patience=3)
    _, history = trained(40, validation=(X[:30], np.roll(CLASSES[:30], 1)), callbacks=[stopping])
    assert len(history) < 40
    assert stopping.best == min(history["validation_loss"])
    with pytest.raises(KeyError, match="'accuracy'; there are epoch, loss, lr"):
        trained(2, callbacks=[callbacks.EarlyStopping("accuracy")])
    with pytest.raises(ValueError, match="mode: expected"):
        callbacks.EarlyStopping(mode="low")


def test_checkpoints_of_the_best_epoch(tmp_path):
    script = Scripted([3, 2, 5, 1, 4, 3])
    path = tmp_path / "best.npz"
    trained(6, callbacks=[callbacks.Checkpoint(path, best_only=True, monitor="number"), script])
    state = checkpoints.load_checkpoint(path)
    assert state["epoch"] == 4
    assert_same_state(state["module"], script.states[3])
    # It comes last, wherever it stands in the list: the number was there.
    assert state["history"][-1]["number"] == 1


def test_checkpoints_every_few_epochs(tmp_path):
    class Seen(callbacks.Callback):
        epochs = []

        def on_epoch_begin(self, training):
            path = tmp_path / "a.npz"
            self.epochs.append(checkpoints.load_checkpoint(path)["epoch"] if path.exists() else None)

    trained(5, callbacks=[callbacks.Checkpoint(str(tmp_path / "a.npz"), every=2), Seen()])
    assert Seen.epochs == [None, None, 2, 2, 4]
    assert checkpoints.load_checkpoint(tmp_path / "a.npz")["epoch"] == 5


def test_a_checkpoint_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    state = {"a": [1, 2.5, None, "x", True], 3: np.arange(3), "t": (np.float32(0.1), {"n": np.nan, "i": -np.inf})}
    checkpoints.save_checkpoint(path, state)
    back = checkpoints.load_checkpoint(path)
    assert back["a"] == state["a"]
    np.testing.assert_array_equal(back[3], state[3])
    assert back["t"][0] == np.float32(0.1)
    assert np.isnan(back["t"][1]["n"])
    assert back["t"][1]["i"] == -np.inf

    def broken(file, **arrays):
        file.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", broken)
    with pytest.raises(OSError, match="no space left"):
        checkpoints.save_checkpoint(path, {"other": 1})
    monkeypatch.undo()
    np.testing.assert_array_equal(checkpoints.load_checkpoint(path)[3], np.arange(3))
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_what_cannot_be_saved(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(TypeError, match=r"state\['a'\]\[1\]: object cannot be saved"):
        checkpoints.save_checkpoint(path, {"a": [1, object()]})
    with pytest.raises(TypeError, match=r"state\['a'\]: an array of objects"):
        checkpoints.save_checkpoint(path, {"a": np.array([None])})
    with pytest.raises(TypeError, match="keys that are strings or integers"):
        checkpoints.save_checkpoint(path, {(1, 2): 3})
    assert not path.exists()


def test_what_is_no_whole_checkpoint(tmp_path):
    path = tmp_path / "a.npz"
    checkpoints.save_checkpoint(path, {"a": np.arange(100)})
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    np.savez(path, a=np.zeros(3))
    for content in (b"", b"text", whole[:-30], whole[:200], bytes(flipped), path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.npz: not a whole checkpoint"):
            checkpoints.load_checkpoint(path)
    with pytest.raises(FileNotFoundError):
        checkpoints.load_checkpoint(tmp_path / "b.npz")


def test_schedules_by_epoch_and_by_step():
    module = network()
    optimizer = optim.SGD(module.parameters(), lr=0.5)
    schedule = schedules.ExponentialLR(optimizer, 0.5)
    history = fit(module, X, CLASSES, cross_entropy, optimizer, 3, 16, callbacks=[callbacks.LRSchedule(schedule)])
    assert history["lr"] == [0.5, 0.25, 0.125]
    schedule = schedules.StepLR(optimizer, 3, 0.5)
    by_step = callbacks.LRSchedule(schedule, every="step")
    fit(module, X, CLASSES, cross_entropy, optimizer, 1, 16, callbacks=[by_step], accumulate=2)
    assert schedule.last_epoch == 3  # six batches, two of them a step
    with pytest.raises(ValueError, match="another optimizer"):
        trained(1, callbacks=[by_step])
    with pytest.raises(ValueError, match="every: expected"):
        callbacks.LRSchedule(schedule, every="batch")
    with pytest.raises(ValueError, match="after an epoch only"):
        callbacks.LRSchedule(schedules.ReduceLROnPlateau(optimizer), every="step")


def test_scores():
    metrics = pytest.importorskip("sklearn.metrics", reason="its scorers are what is called here")
    scoring = [
        callbacks.EpochScoring(metrics.get_scorer("accuracy"), "accuracy"),
        callbacks.EpochScoring(metrics.get_scorer("neg_log_loss"), "log_loss"),
        callbacks.EpochScoring(lambda predictor, X, y: np.mean(predictor.predict(X) == y), "train", on="train"),
    ]
    _, history = trained(5, validation=(X, CLASSES), callbacks=scoring)
    assert history["accuracy"] == pytest.approx(history["train"])
    assert history["log_loss"] == pytest.approx([-v for v in history["validation_loss"]], rel=1e-4)
    _, history = trained(
        5,
        module=network(1),
        y=VALUES,
        loss=mse_loss,
        validation=(X, VALUES),
        callbacks=[callbacks.EpochScoring(metrics.get_scorer("neg_mean_squared_error"), "mse")],
    )
    assert history["mse"] == pytest.approx([-v for v in history["validation_loss"]], rel=1e-4)
    with pytest.raises(ValueError, match="no validation samples"):
        trained(1, callbacks=scoring[:1])


def test_two_classes_by_one_logit():
    from fastml.nn.losses import binary_cross_entropy_with_logits

    y = (CLASSES == 1).astype(np.int64)

    def loss(outputs, targets):
        return binary_cross_entropy_with_logits(outputs, targets.data[:, np.newaxis].astype(outputs.dtype))

    scores = []

    def scorer(predictor, X, y):
        probabilities = predictor.predict_proba(X)
        assert ((probabilities[:, 1] > 0.5) == predictor.predict(X)).all()
        scores.append(np.mean(predictor.predict(X) == y))
        return scores[-1]

    trained(30, module=network(1), y=y, loss=loss, callbacks=[callbacks.EpochScoring(scorer, "score", on="train")])
    assert scores[-1] > 0.9


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_progress(has_tqdm, monkeypatch):
    if has_tqdm:
        pytest.importorskip("tqdm", reason="the bar is tqdm's; the lines are tested without it")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    file = io.StringIO()
    trained(3, validation=(X, CLASSES), callbacks=[callbacks.ProgressBar(file)])
    text = file.getvalue()
    assert "3/3" in text
    assert "validation_loss" in text
    if not has_tqdm:
        assert [line.split(":")[0] for line in text.splitlines()] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def test_moments_come_in_order():
    class Record(callbacks.Callback):
        def __init__(self):
            self.seen = []

        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda training: self.seen.append((name, training.epoch, training.batch))
            return object.__getattribute__(self, name)

    record = Record()
    trained(2, callbacks=[record])
    batches = [[("on_batch_end", epoch, batch) for batch in range(1, 7)] for epoch in (1, 2)]
    assert record.seen == [
        ("on_train_begin", 0, 0),
        ("on_epoch_begin", 1, 0),
        *batches[0],
        ("on_epoch_end", 1, 6),
        ("on_epoch_begin", 2, 6),
        *batches[1],
        ("on_epoch_end", 2, 6),
        ("on_train_end", 2, 6),
    ]


def test_history():
    history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "score": 0.5}])
    assert history["loss"] == [2.0, 1.0]
    assert history["score"] == [None, 0.5]
    assert history[-1]["epoch"] == 2
    assert [epoch["epoch"] for epoch in history] == [1, 2]
    assert "score" in history
    assert history.names == ["epoch", "loss", "score"]
    assert repr(history) == "History(2 epochs, the last with epoch=2, loss=1, score=0.5)"
    with pytest.raises(KeyError, match="'speed' is not in the history, which has epoch, loss, score"):
        history["speed"]


def test_plot(monkeypatch):
    history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "validation_loss": 0.5}])
    with pytest.raises(KeyError, match="speed: not in the history"):
        history.plot(["speed"])
    matplotlib = pytest.importorskip("matplotlib", reason="draws the curves")
    matplotlib.use("agg")
    ax = history.plot()
    lines = {line.get_label(): line.get_xydata().tolist() for line in ax.get_lines()}
    assert lines == {"loss": [[1, 2], [2, 1]], "validation loss": [[2, 0.5]]}
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.delattr(matplotlib, "pyplot", raising=False)
    with pytest.raises(ImportError, match=r"fastml\[plots\]"):
        history.plot()
