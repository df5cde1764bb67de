"""How estimators over modules train: stopping, schedules, callbacks, scores, going on, and what ends it early."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise

import numpy as np
import pytest
from neural_net_problem import THREE, TWO, VALUES, X, assert_same_parameters, parameters
from sklearn.metrics import accuracy_score

from fastml import nn
from fastml.neural_network import Autoencoder, NeuralNetClassifier, NeuralNetRegressor
from fastml.nn._native_epochs import NativeEpochs

QUICK = {"optimizer__lr": 0.01, "batch_size": 16, "max_epochs": 8, "random_state": 0}


class At(nn.callbacks.Callback):
    """Do something at the end of an epoch."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def on_epoch_end(self, training):
        if training.epoch == self.epoch:
            self.action()


def fail():
    raise OSError("the disk is full")


def interrupt():
    signal.raise_signal(signal.SIGINT)


def test_a_seed_repeats_everything():
    options = {**QUICK, "module__dropout": 0.3, "early_stopping": True}
    first, second = (NeuralNetClassifier(**options).fit(X, THREE) for _ in range(2))
    assert_same_parameters(first, second)
    assert first.loss_curve_ == second.loss_curve_
    other = NeuralNetClassifier(**{**options, "random_state": 1}).fit(X, THREE)
    assert other.loss_curve_ != first.loss_curve_
    unseeded = [NeuralNetClassifier(**{**options, "random_state": None}).fit(X, THREE).loss_curve_ for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_early_stopping_keeps_the_best_epoch():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 3, len(X))  # nothing to learn: sooner or later validation gets worse
    net = NeuralNetClassifier(
        early_stopping=True,
        early_stopping__patience=3,
        validation_fraction=0.25,
        **{**QUICK, "max_epochs": 200},
    ).fit(X, noise)
    losses = net.history_["validation_loss"]
    assert net.n_iter_ == len(losses) < 200
    assert net.best_epoch_ == int(np.argmin(losses)) + 1 == net.n_iter_ - 3
    assert net.history_.stopped == "no improvement for 3 epochs"
    # The same run, ended at that epoch.
    shorter = NeuralNetClassifier(validation_fraction=0.25, **{**QUICK, "max_epochs": net.best_epoch_}).fit(X, noise)
    assert_same_parameters(net, shorter)
    assert not hasattr(shorter, "best_epoch_")


def test_scores_are_those_of_the_estimator():
    net = NeuralNetClassifier(
        scoring={"hits": "accuracy", "loss_of_scorer": lambda net, X, y: accuracy_score(y, net.predict(X))},
        validation_fraction=0.3,
        **QUICK,
    ).fit(X, TWO)
    assert net.history_["hits"] == net.history_["loss_of_scorer"]
    assert net.history_["hits"][-1] > 0.8
    alone = NeuralNetClassifier(scoring="accuracy", **QUICK).fit(X, TWO)
    assert alone.history_["accuracy"][-1] == alone.score(X, TWO)  # of what it is trained on
    one = NeuralNetRegressor(scoring=["r2", "neg_mean_absolute_error"], **QUICK).fit(X, VALUES)
    assert one.history_["r2"][-1] == pytest.approx(one.score(X, VALUES))
    assert "neg_mean_absolute_error" in one.history_


def test_early_stopping_by_a_score():
    net = NeuralNetClassifier(
        early_stopping=True, scoring="accuracy", early_stopping__patience=2, **{**QUICK, "max_epochs": 300}
    ).fit(X, THREE)
    scores = net.history_["accuracy"]
    assert net.n_iter_ == len(scores) < 300
    assert scores[net.best_epoch_ - 1] == max(scores)
    assert net.best_epoch_ == int(np.argmax(scores)) + 1


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_a_cosine_ends_with_the_training(every):
    net = NeuralNetClassifier(schedule="cosine", schedule__every=every, **QUICK).fit(X, THREE)
    rates = net.history_["lr"]
    assert rates[0] == 0.01
    assert all(b < a for a, b in pairwise(rates))
    longer = {"epoch": 0.01 * (1 + np.cos(np.pi * 7 / 8)) / 2, "step": 0.01 * (1 + np.cos(np.pi * 56 / 64)) / 2}
    assert rates[-1] == pytest.approx(longer[every])


def test_a_plateau_lowers_the_rate():
    net = NeuralNetClassifier(schedule="plateau", schedule__patience=0, schedule__threshold=10.0, **QUICK)
    assert net.fit(X, THREE).history_["lr"][-1] < 0.01


def test_callbacks_are_copied():
    stopping = nn.callbacks.EarlyStopping("loss", patience=1, min_delta=100.0)
    net = NeuralNetClassifier(callbacks=[stopping], **QUICK).fit(X, THREE)
    assert net.n_iter_ == 2
    assert net.callbacks_[0].best_epoch == 1
    assert stopping.best_epoch is None
    assert net.fit(X, THREE).n_iter_ == 2


def test_clipping_and_accumulation_reach_the_loop():
    """The first epoch of one step: what Adam does not see, since it divides by the gradient, SGD does."""
    options = {**QUICK, "optimizer": "sgd", "optimizer__lr": 1.0, "max_epochs": 1, "batch_size": 1000}
    begin = parameters(NeuralNetClassifier(**{**options, "optimizer__lr": 0.0}).fit(X, THREE))
    clipped = parameters(NeuralNetClassifier(gradient_clip_norm=1e-3, **options).fit(X, THREE))
    step = np.concatenate([(clipped[name] - begin[name]).ravel() for name in begin])
    assert np.linalg.norm(step) == pytest.approx(1e-3, rel=1e-2)
    clipped = parameters(NeuralNetClassifier(gradient_clip_value=1e-4, **options).fit(X, THREE))
    assert max(np.abs(clipped[name] - begin[name]).max() for name in begin) == pytest.approx(1e-4)
    whole = NeuralNetClassifier(**options).fit(X, THREE)
    in_parts = NeuralNetClassifier(**{**options, "accumulate": 8, "batch_size": 16}).fit(X, THREE)
    for name, array in parameters(whole).items():
        np.testing.assert_allclose(parameters(in_parts)[name], array, atol=1e-12)


def test_progress(capsys):
    NeuralNetClassifier(verbose=True, **QUICK).fit(X, THREE)
    assert "8/8" in capsys.readouterr().err
    NeuralNetClassifier(**QUICK).fit(X, THREE)
    assert capsys.readouterr().err == ""


def test_an_epoch_of_partial_fit_after_the_other_is_a_fit():
    """In full batches, where no order is drawn."""
    options = {**QUICK, "batch_size": 1000, "schedule": "exponential", "schedule__gamma": 0.9}
    whole = NeuralNetClassifier(**options).fit(X, THREE)
    net = NeuralNetClassifier(**options)
    for _ in range(8):
        net.partial_fit(X, THREE, classes=["ant", "bee", "cat"])
        assert net.n_iter_ == 1
    for name, array in parameters(whole).items():
        np.testing.assert_allclose(parameters(net)[name], array, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.loss_curve_, whole.loss_curve_)
    assert net.history_["lr"] == pytest.approx(whole.history_["lr"])
    assert net.history_["epoch"] == list(range(1, 9))


def test_calls_of_partial_fit_have_draws_of_their_own():
    net = NeuralNetRegressor(optimizer__lr=0.0, module__dropout=0.5, random_state=0)
    for _ in range(3):
        net.partial_fit(X, VALUES)
    assert len(set(net.loss_curve_)) == 3


def test_a_rate_that_was_set_between_calls_counts():
    net = NeuralNetRegressor(**QUICK).partial_fit(X, VALUES)
    assert net.set_params(optimizer__lr=0.5).partial_fit(X, VALUES).history_["lr"] == [0.01, 0.5]
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        net.set_params(early_stopping=True).partial_fit(X, VALUES)


def test_a_warm_start_goes_on():
    net = NeuralNetClassifier(warm_start=True, **QUICK).fit(X, THREE)
    first = net.loss_curve_
    net.fit(X, THREE)
    assert net.loss_curve_[:8] == first
    assert net.n_iter_ == 8
    assert net.loss_curve_[8] < first[0]
    assert net.set_params(warm_start=False).fit(X, THREE).loss_curve_ == first
    regressor = NeuralNetRegressor(warm_start=True, **QUICK).fit(X, VALUES)
    with pytest.raises(ValueError, match=r"expected 1 value\(s\) a sample as in the fit before, got 2"):
        regressor.fit(X, X[:, :2])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_fit_changes_nothing(method):
    net = NeuralNetClassifier(module__batch_norm=True, **QUICK).fit(X, THREE)
    before, arrays = pickle.dumps(vars(net)), parameters(net)
    net.set_params(callbacks=[At(1, fail)])
    with pytest.raises(OSError, match="the disk is full"):
        getattr(net, method)(X[:, :3] if method == "fit" else X, THREE)
    net.set_params(callbacks=None)
    assert pickle.dumps(vars(net)) == before
    for name, array in parameters(net).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_ctrl_c_warns_and_keeps_what_was_learnt():
    net = NeuralNetClassifier(callbacks=[At(3, interrupt)], early_stopping=True, **{**QUICK, "max_epochs": 1000})
    with pytest.warns(UserWarning, match=r"Training interrupted by user\.") as caught:
        net.fit(X, THREE)
    assert caught[0].filename == __file__
    assert net.n_iter_ == len(net.loss_curve_) == 3
    assert net.history_.stopped == "interrupted"
    shorter = NeuralNetClassifier(validation_fraction=0.1, **{**QUICK, "max_epochs": 3}).fit(X, THREE)
    assert_same_parameters(net, shorter)
    assert not hasattr(net, "best_epoch_")
    net.set_params(early_stopping=False, callbacks=None).partial_fit(X, THREE)
    assert len(net.loss_curve_) == 4
    coder = Autoencoder(2, callbacks=[At(1, interrupt)], **QUICK)
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        assert coder.fit(X).transform(X).shape == (120, 2)


def test_a_loss_that_is_not_finite_says_where():
    net = NeuralNetRegressor(
        module__hidden_layer_sizes=(5,), module__activation="identity", optimizer="sgd", **QUICK
    ).set_params(optimizer__lr=1e160)
    message = r"in epoch 1, batch 2; first not finite: the output of 2 \(Linear\)"
    with pytest.raises(nn.NonFiniteLossError, match=message) as caught, np.errstate(all="ignore"):
        net.fit(X, VALUES)
    assert not hasattr(net, "module_")
    restored = pickle.loads(pickle.dumps(caught.value))  # as it comes back from a worker of a search
    assert (str(restored), restored.epoch) == (str(caught.value), caught.value.epoch)


def test_a_resumed_fit_ends_as_if_it_had_never_stopped(tmp_path):
    options = {**QUICK, "module__dropout": 0.3, "schedule": "cosine", "early_stopping": True, "scoring": "accuracy"}
    whole = NeuralNetClassifier(**options).fit(X, THREE)
    file = tmp_path / "run.npz"
    net = NeuralNetClassifier(checkpoint=file, resume=True, **options)
    with pytest.raises(OSError, match="the disk is full"):
        copy.deepcopy(net).set_params(callbacks=[At(5, fail)]).fit(X, THREE)
    assert file.exists()
    net.set_params(verbose=True).fit(X, THREE)
    assert_same_parameters(net, whole)
    assert net.loss_curve_ == whole.loss_curve_
    assert net.history_["accuracy"] == whole.history_["accuracy"]
    assert (net.n_iter_, net.best_epoch_) == (whole.n_iter_, whole.best_epoch_)
    begun = file.stat().st_mtime_ns
    assert net.fit(X, THREE).loss_curve_ == whole.loss_curve_  # nothing is left to do
    assert file.stat().st_mtime_ns == begun
    with pytest.raises(ValueError, match=r"shape of 0.weight"):
        net.set_params(module__hidden_layer_sizes=(5, 32)).fit(X, THREE)
    with pytest.raises(ValueError, match="resume=True needs a checkpoint"):
        net.set_params(checkpoint=None).fit(X, THREE)


def test_a_killed_run_is_resumed(tmp_path):
    file = tmp_path / "run.npz"
    script = f"""
    import os, signal
    from fastml import nn
    from fastml.neural_network import NeuralNetClassifier
    from neural_net_problem import THREE, X

    class Kill(nn.callbacks.Callback):
        def on_epoch_begin(self, training):
            if training.epoch == 5:
                os.kill(os.getpid(), signal.SIGKILL)

    NeuralNetClassifier(checkpoint={str(file)!r}, callbacks=[Kill()], **{QUICK!r}).fit(X, THREE)
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    net = NeuralNetClassifier(checkpoint=file, resume=True, **QUICK).fit(X, THREE)
    assert_same_parameters(net, NeuralNetClassifier(**QUICK).fit(X, THREE))


@pytest.mark.parametrize(
    ("net", "y"), [(NeuralNetClassifier, THREE), (NeuralNetClassifier, TWO), (NeuralNetRegressor, VALUES)]
)
def test_epochs_of_the_module_by_default_are_native_calls(net, y, monkeypatch):
    runs = []
    run = NativeEpochs.run
    monkeypatch.setattr(NativeEpochs, "run", lambda self: runs.append(self) or run(self))
    plain = net(**QUICK).fit(X, y)
    assert len(runs) == 8
    in_batches = net(gradient_clip_norm=1e9, **QUICK).fit(X, y)
    assert len(runs) == 8
    np.testing.assert_allclose(plain.loss_curve_, in_batches.loss_curve_, rtol=1e-9)
