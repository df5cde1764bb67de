"""Learning rates over steps, against PyTorch's where it is installed and against their formulas."""

import math

import numpy as np
import pytest

from fastml.nn import optim, schedules
from fastml.nn.module import Parameter

STEPS = 25


def optimizer(*rates):
    return optim.SGD([{"params": [Parameter(np.ones(1))], "lr": lr} for lr in rates])


def rates_of(schedule, steps=STEPS):
    rates = [schedule.get_last_lr()]
    for _ in range(steps):
        schedule.step()
        rates.append(schedule.get_last_lr())
    return np.array(rates)


CASES = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 4, "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 11}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 40, "eta_min": 0.01}),
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{'-'.join(o)}" for n, o in CASES])
def test_follows_pytorch(name, options):
    torch = pytest.importorskip("torch", reason="the other side of the comparison; formulas are tested without it")
    ours = getattr(schedules, name)(optimizer(0.3, 0.02), **options)
    tensors = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    theirs_optimizer = torch.optim.SGD([{"params": [tensors[0]], "lr": 0.3}, {"params": [tensors[1]], "lr": 0.02}])
    theirs = getattr(torch.optim.lr_scheduler, name)(theirs_optimizer, **options)
    expected = [theirs.get_last_lr()]
    for _ in range(STEPS):
        theirs_optimizer.step()
        theirs.step()
        expected.append(theirs.get_last_lr())
    # PyTorch multiplies step by step, and its cosine comes to eta_min up to such roundings only.
    np.testing.assert_allclose(rates_of(ours), expected, rtol=1e-9, atol=1e-12)


def test_warm_up_and_cosine_is_pytorchs_sequence():
    torch = pytest.importorskip("torch", reason="the other side of the comparison")
    theirs_optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    parts = torch.optim.lr_scheduler
    theirs = parts.SequentialLR(
        theirs_optimizer,
        [
            parts.LinearLR(theirs_optimizer, start_factor=0.25, total_iters=4),
            parts.CosineAnnealingLR(theirs_optimizer, 12),
        ],
        [4],
    )
    expected = [theirs.get_last_lr()]
    for _ in range(14):
        theirs_optimizer.step()
        theirs.step()
        expected.append(theirs.get_last_lr())
    direct = schedules.CosineAnnealingLR(optimizer(0.4), 12, warmup_steps=4, warmup_factor=0.25)
    np.testing.assert_allclose(rates_of(direct, 14), expected, rtol=1e-9)
    ours = optimizer(0.4)
    sequence = schedules.SequentialLR(
        ours, [schedules.LinearLR(ours, 0.25, total_iters=4), schedules.CosineAnnealingLR(ours, 12)], [4]
    )
    np.testing.assert_allclose(rates_of(sequence, 14), expected, rtol=1e-9)


class Growing(schedules.LRScheduler):
    """A rate that tells after how many steps of its own it is asked for."""

    def lr_at(self, step, base_lr):
        return base_lr * (1 + 0.5 * step)


def sequence(lr):
    o = optimizer(lr)
    return schedules.SequentialLR(o, [schedules.ExponentialLR(o, 0.5), Growing(o)], [6])


def test_formulas():
    steps = np.arange(STEPS + 1)
    for schedule, expected in [
        (schedules.StepLR(optimizer(0.3), 4, 0.5), 0.3 * 0.5 ** (steps // 4)),
        (schedules.ExponentialLR(optimizer(0.3), 0.9), 0.3 * 0.9**steps),
        (schedules.InverseSqrtLR(optimizer(0.3)), 0.3 / np.sqrt(1 + steps)),
        (schedules.InverseSqrtLR(optimizer(0.3), timescale=10), 0.3 / np.sqrt(1 + steps / 10)),
        (schedules.LinearLR(optimizer(0.3), 0.5, total_iters=10), 0.3 * np.minimum(0.5 + steps / 20, 1)),
        (schedules.CosineAnnealingLR(optimizer(0.3), 25), 0.15 * (1 + np.cos(np.pi * steps / 25))),
        (sequence(0.3), np.where(steps < 6, 0.3 * 0.5 ** np.minimum(steps, 5), 0.3 * (1 + 0.5 * (steps - 6)))),
    ]:
        np.testing.assert_allclose(rates_of(schedule)[:, 0], expected, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_reduce_on_plateau_follows_pytorch(mode, threshold_mode):
    torch = pytest.importorskip("torch", reason="the other side of the comparison; one case is tested without it")
    options = {
        "mode": mode,
        "factor": 0.5,
        "patience": 2,
        "threshold": 0.05,
        "threshold_mode": threshold_mode,
        "cooldown": 1,
        "min_lr": 0.01,
    }
    ours = schedules.ReduceLROnPlateau(optimizer(0.3), **options)
    theirs_optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs_optimizer, **options)
    measures = np.random.default_rng(0).normal(size=60) + np.linspace(0, 3 if mode == "max" else -3, 60)
    seen = set()
    for measure in measures:
        ours.step(measure)
        theirs.step(measure)
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-12)
        seen.update(ours.get_last_lr())
    assert len(seen) > 2


def test_reduce_on_plateau():
    ours = schedules.ReduceLROnPlateau(optimizer(0.4), patience=1, factor=0.5, min_lr=0.1)
    seen = []
    for measure in [3, 2, 2, 2, 1, 1, 1, math.nan, math.nan, 1, 1]:
        ours.step(measure)
        seen.append(ours.get_last_lr()[0])
    assert seen == [0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]


@pytest.mark.parametrize(
    ("options", "measures", "good"),
    [
        # Better by more than the threshold: of a tenth of the best so far, or of a tenth.
        ({"mode": "max", "threshold": 0.1}, [10, 10.9, 11.1, 12.1, 12.3], [True, False, True, False, True]),
        ({"mode": "min", "threshold": 0.1}, [10, 9.1, 8.9, 8.1, 7.9], [True, False, True, False, True]),
        ({"mode": "max", "threshold": 0.1, "threshold_mode": "abs"}, [1, 1.05, 1.15, 1.2], [True, False, True, False]),
        ({"mode": "min", "threshold": 0.1, "threshold_mode": "abs"}, [1, 0.95, 0.85, 0.8], [True, False, True, False]),
    ],
)
def test_what_counts_as_better(options, measures, good):
    schedule = schedules.ReduceLROnPlateau(optimizer(1.0), patience=0, factor=0.5, **options)
    before, seen = 1.0, []
    for measure in measures:
        schedule.step(measure)
        seen.append(schedule.get_last_lr()[0] == before)
        before = schedule.get_last_lr()[0]
    assert seen == good


def test_restored_schedules_go_on():
    for make in (
        lambda o: schedules.CosineAnnealingLR(o, 9, warmup_steps=3),
        lambda o: schedules.SequentialLR(o, [schedules.LinearLR(o), schedules.ExponentialLR(o, 0.5)], [3]),
    ):
        first = make(optimizer(0.3))
        rates_of(first, 5)
        second = make(optimizer(0.1))
        second.load_state_dict(first.state_dict())
        np.testing.assert_array_equal(rates_of(first), rates_of(second))
    first = schedules.ReduceLROnPlateau(optimizer(0.3), patience=0)
    first.step(1.0)
    second = schedules.ReduceLROnPlateau(optimizer(0.3), patience=0)
    second.load_state_dict(first.state_dict())
    second.step(2.0)
    assert second.get_last_lr() == pytest.approx([0.03])


def test_wrong_arguments():
    o = optimizer(0.1)
    with pytest.raises(ValueError, match="number of schedulers 1"):
        schedules.SequentialLR(o, [schedules.LinearLR(o)], [3])
    with pytest.raises(TypeError, match="depends on more than the number of steps"):
        schedules.SequentialLR(o, [schedules.LinearLR(o), schedules.ReduceLROnPlateau(o)], [3])
    with pytest.raises(ValueError, match="different optimizer"):
        schedules.SequentialLR(optimizer(1), [schedules.LinearLR(o)], [])
    with pytest.raises(ValueError, match="Factor"):
        schedules.ReduceLROnPlateau(o, factor=1.0)
    with pytest.raises(ValueError, match="expected 1 min_lrs, got 2"):
        schedules.ReduceLROnPlateau(o, min_lr=[0, 0])
    with pytest.raises(ValueError, match="Starting multiplicative factor"):
        schedules.LinearLR(o, 0)
