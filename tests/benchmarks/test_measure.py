"""One workload from start to finish: answers are held against the baseline's, memory is measured, failures told."""

import json

import pytest

from benchmarks.measure import compare
from benchmarks.record import record
from benchmarks.workload import Goal

MEBIBYTES = 96


@pytest.fixture
def run(contender):
    def run(workload, **more):
        contenders = [contender(name) for name in workload.contenders]
        return compare(workload, contenders, repeats=2, threads=1, **more)

    return run


def test_every_contender_has_a_time_a_turn_and_a_right_answer(run, workload):
    comparison = run(workload("correct", goals=(Goal(1.0, "first"),)))
    assert [result.status for result in comparison.results] == ["ok", "ok"]
    assert all(result.right and len(result.seconds) == 2 for result in comparison.results)
    assert all(result.median >= 0.06 and result.facts["calls"] == 1 for result in comparison.results)
    assert all(result.peak_bytes is None for result in comparison.results)


def test_a_wrong_answer_is_caught_and_never_the_best_peer(run, workload):
    comparison = run(workload("second_is_wrong"))
    first, second = comparison.results
    assert first.right
    assert not second.right
    assert second.status == "ok"
    assert comparison.best_peer() is first
    assert comparison.of("second") is None


@pytest.mark.parametrize("task", ["second_raises_at_once", "second_raises_later"])
def test_a_contender_that_raises_is_reported(run, workload, task):
    first, second = run(workload(task)).results
    assert first.status == "ok"
    assert second.status == "failed"
    assert "ValueError: second" in second.reason


def test_a_missing_library_is_reported_as_not_installed(contender, workload):
    contenders = [contender("first"), contender("second", module="no_such_library")]
    results = compare(workload("correct"), contenders, repeats=1, threads=1).results
    assert [result.status for result in results] == ["ok", "not installed"]


def test_memory_of_a_call_is_measured_where_asked_for(run, workload):
    comparison = run(workload("allocates", contenders=("first",), arguments={"mebibytes": MEBIBYTES}, memory=True))
    peak = comparison.results[0].peak_bytes
    # The kernel's counts are some hundred kB off; the interpreter's own needs are small beside the block.
    assert (MEBIBYTES - 1) << 20 <= peak <= (MEBIBYTES + 8) << 20


def test_the_record_is_json_and_holds_every_figure(run, workload):
    comparison = run(workload("second_raises_later"))
    recorded = json.loads(json.dumps(record([comparison], {"cpu": "a cpu"}, {"repeats": 2})))
    first, second = recorded["workloads"][0]["results"]
    assert recorded["machine"] == {"cpu": "a cpu"}
    assert first["seconds"] == comparison.results[0].seconds
    assert first["right"] is True
    assert second["status"] == "failed"
    assert "second gives up" in second["reason"]
