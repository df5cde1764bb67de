"""Weights of samples in the training loop, blocks with a generator of their own, histories that go on."""

import pickle
import threading

import numpy as np
import pytest
from training_problem import CLASSES, VALUES, X, arrays, assert_same_state, network, trained

from fastml import nn
from fastml.nn import optim
from fastml.nn.losses import cross_entropy, mse_loss
from fastml.nn.training import fit


def of_samples(outputs, targets):
    return cross_entropy(outputs, targets, reduction="none")


def test_weights_of_one_change_nothing():
    plain, history = trained(3, accumulate=2)
    weighted, other = trained(3, loss=of_samples, sample_weight=np.ones(len(X)), accumulate=2)
    for name, array in arrays(plain).items():
        np.testing.assert_allclose(arrays(weighted)[name], array, rtol=1e-4, atol=1e-6)  # float32
    assert history["loss"] == pytest.approx(other["loss"], rel=1e-6)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_weights_are_factors_of_losses(accumulate):
    """The loop written out, over batches in order."""
    weight = np.random.default_rng(1).uniform(0, 3, len(X))
    module = network(dtype=np.float64)
    options = {"shuffle": False, "accumulate": accumulate, "sample_weight": weight}
    fit(module, X, CLASSES, of_samples, optim.SGD(module.parameters(), lr=0.1), 2, 30, **options)
    other = network(dtype=np.float64)
    optimizer = optim.SGD(other.parameters(), lr=0.1)
    rows = 30 * accumulate
    for _ in range(2):
        for start in range(0, 90, rows):
            part = slice(start, start + rows)
            optimizer.zero_grad()
            ((of_samples(other(X[part]), CLASSES[part]) * weight[part]).sum() / rows).backward()
            optimizer.step()
    for name, array in arrays(other).items():
        np.testing.assert_allclose(arrays(module)[name], array, atol=1e-12)


def test_weights_go_with_their_samples():
    """A shuffled order, and samples kept back: those of no weight, however wrong, must not be seen."""
    values = VALUES.copy()
    weight = np.ones(len(X))
    weight[::3] = 0
    values[::3] = 1e6
    module = network(1, dtype=np.float64)

    def loss(outputs, targets):
        return mse_loss(outputs, targets, reduction="none")

    history = fit(
        module,
        X,
        values,
        loss,
        optim.Adam(module.parameters(), lr=0.05),
        30,
        16,
        seed=0,
        sample_weight=weight,
        validation=0.3,
    )
    assert history["loss"][-1] < 0.2
    assert history["validation_loss"][-1] < 0.5
    given = fit(
        module, X, values, loss, optim.SGD(module.parameters(), lr=0.0), 1, 90, sample_weight=weight,
        validation=(X, values, weight),
    )  # fmt: skip
    assert given["validation_loss"] == pytest.approx(given["loss"])


def test_weights_need_losses_of_samples():
    with pytest.raises(
        ValueError, match=r"a number, or a row of them, for each of the 16 samples.*returned shape \(\)"
    ):
        trained(1, sample_weight=np.ones(len(X)))
    with pytest.raises(ValueError, match=r"X has 90 samples, sample_weight has shape \(3,\)"):
        trained(1, loss=of_samples, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="expected weights of its samples where there are sample_weight"):
        trained(1, loss=of_samples, sample_weight=np.ones(len(X)), validation=(X, CLASSES))


def test_a_block_has_a_generator_of_its_own():
    nn.manual_seed(5)
    expected = nn.default_generator().random(4)
    nn.manual_seed(5)
    first = nn.default_generator().random()
    with nn.seeded(7) as generator:
        assert nn.default_generator() is generator
        inside = nn.Linear(3, 2).weight.data
        with nn.seeded(7):
            np.testing.assert_array_equal(nn.Linear(3, 2).weight.data, inside)
        nn.manual_seed(1)
        trained(1, module=network(dropout=True))
    np.testing.assert_array_equal([first, *nn.default_generator().random(3)], expected)
    with nn.seeded(7):
        np.testing.assert_array_equal(nn.Linear(3, 2).weight.data, inside)


def test_a_block_is_not_seen_by_other_threads():
    found = []
    with nn.seeded(0) as generator:
        thread = threading.Thread(target=lambda: found.append(nn.default_generator()))
        thread.start()
        thread.join()
    assert found[0] is not generator
    assert found[0] is nn.default_generator()


def test_a_history_goes_on():
    module, history = trained(3)
    history.stopped = "no improvement for 3 epochs"
    trained(2, module=module, history=history)
    assert history["epoch"] == [1, 2, 3, 4, 5]
    assert history.stopped is None


def test_a_progress_bar_may_come_and_go_between_checkpoints(tmp_path):
    class Stateless(nn.callbacks.Callback):
        pass

    file = tmp_path / "run.npz"
    whole, _ = trained(4)
    trained(2, callbacks=[nn.callbacks.Checkpoint(file), Stateless()])
    module, history = trained(4, callbacks=[nn.callbacks.Checkpoint(file)], resume=file)
    assert_same_state(arrays(module), arrays(whole))
    assert len(history) == 4


def test_the_error_of_a_loss_comes_back_from_a_pickle():
    error = nn.NonFiniteLossError(2, 5, float("nan"), "the output of 0 (Linear)", nn.History([{"epoch": 1}]))
    other = pickle.loads(pickle.dumps(error))
    assert str(other) == str(error)
    assert (other.epoch, other.batch, other.culprit, len(other.history)) == (2, 5, "the output of 0 (Linear)", 1)


def test_a_seed_holds_while_other_threads_train():
    alone = trained(4, module=network(dropout=True))[1]["loss"]
    nn.manual_seed(3)
    untouched = nn.default_generator().random()
    nn.manual_seed(3)
    found = [None] * 4

    def train(i):
        found[i] = trained(4, module=network(dropout=True))[1]["loss"]

    workers = [threading.Thread(target=train, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [alone] * 4
    trained(1, module=network(dropout=True))
    assert nn.default_generator().random() == untouched
