"""Workers run one at a time, in turns, and one that fails is reported without holding up the others."""

from contextlib import ExitStack
from itertools import pairwise

import pytest

from benchmarks.contenders import THREAD_VARIABLES
from benchmarks.turns import ContenderError, NotInstalledError, WorkerProcess, take_turns

ROUNDS = 3


@pytest.fixture
def start(contender):
    """Start workers and prepare each for a workload."""
    with ExitStack() as stack:

        def start(workload, timeout=60.0, threads=1):
            workers = {}
            for name in workload.contenders:
                worker = stack.enter_context(WorkerProcess(contender(name), threads, timeout))
                worker.ask("prepare", worker.contender, workload, None)
                workers[name] = worker
            return workers

        yield start


def test_workers_take_turns_and_never_overlap(start, workload, tmp_path):
    log = tmp_path / "log"
    workers = start(workload("logs_turns", arguments={"log": str(log)}))
    log.unlink()  # what was written while they prepared
    turns = take_turns(workers, ROUNDS)
    entries = [line.split() for line in log.read_text().splitlines()]
    names = [name for name, _, _ in entries]
    # A turn that another program disturbed is taken again, at once and by the same worker.
    without_repeats = [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]
    assert without_repeats == ["first", "second"] * ROUNDS
    for (_, _, end), (_, start_of_next, _) in pairwise(entries):
        assert float(end) <= float(start_of_next)
    assert {name: len(seconds) for name, seconds in turns.seconds.items()} == {"first": ROUNDS, "second": ROUNDS}
    assert all(second >= 0.06 for seconds in turns.seconds.values() for second in seconds)


@pytest.mark.parametrize(
    ("task", "reason"),
    [("second_raises_later", "ValueError: second gives up"), ("second_dies_later", "exit code 7")],
)
def test_a_worker_that_fails_drops_out_with_a_reason_and_the_others_go_on(start, workload, task, reason):
    turns = take_turns(start(workload(task)), ROUNDS)
    assert len(turns.seconds["first"]) == ROUNDS
    assert len(turns.seconds["second"]) < ROUNDS
    assert list(turns.failures) == ["second"]
    assert reason in turns.failures["second"]


def test_a_worker_that_hangs_is_ended_at_the_timeout(start, workload):
    workers = start(workload("second_hangs"), timeout=5.0)
    turns = take_turns(workers, ROUNDS)
    assert "no reply to 'run' within 5 s" in turns.failures["second"]
    assert workers["second"].process.wait(timeout=5) != 0
    assert len(turns.seconds["first"]) == ROUNDS


def test_what_a_contender_raises_while_it_prepares_reaches_the_parent(start, workload):
    with pytest.raises(ContenderError, match="ValueError: second cannot do this"):
        start(workload("second_raises_at_once"))


def test_a_missing_library_is_told_from_a_broken_one(contender, workload):
    missing = contender("first", module="no_such_library")
    with WorkerProcess(missing, 1, 60.0) as worker, pytest.raises(NotInstalledError, match="no_such_library"):
        worker.ask("prepare", missing, workload("correct"), None)


def test_threads_are_limited_before_anything_is_imported(start, workload):
    worker = start(workload("environment", contenders=("first",)), threads=3)["first"]
    environment = worker.ask("answer")
    assert {name: environment[name] for name in THREAD_VARIABLES} == dict.fromkeys(THREAD_VARIABLES, "3")


def test_the_process_ends_with_its_context(contender):
    with WorkerProcess(contender("first"), 1, 60.0) as worker:
        assert worker.process.poll() is None
    assert worker.process.returncode == 0
