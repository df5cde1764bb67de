"""Tasks whose behaviour the tests of the harness know; imported by workers. Contenders are told apart by name."""

import os
import time
from pathlib import Path

from benchmarks.workload import Job, Verdict


def data(dtype, data_dir):
    return None


def is_42(answer, reference):
    return Verdict(answer["value"] == 42, {"value": str(answer["value"])})


def correct(contender, data):
    return Job(lambda: time.sleep(0.06), lambda result: {"value": 42})


def second_is_wrong(contender, data):
    return Job(lambda: time.sleep(0.06), lambda result: {"value": 41 if contender == "second" else 42})


def second_raises_at_once(contender, data):
    if contender == "second":
        raise ValueError("second cannot do this")
    return correct(contender, data)


def second_raises_later(contender, data):
    return Job(_fails_after(3, contender, _raise), lambda result: {"value": 42})


def second_dies_later(contender, data):
    return Job(_fails_after(3, contender, lambda: os._exit(7)), lambda result: {"value": 42})


def second_hangs(contender, data):
    return Job(_fails_after(3, contender, lambda: time.sleep(600)), lambda result: {"value": 42})


def logs_turns(contender, data, log):
    """Write a line (name, start, end) each call, which lasts longer than a sample, so that it is one call a turn."""

    def call():
        start = time.monotonic()
        time.sleep(0.06)
        with Path(log).open("a") as file:
            file.write(f"{contender} {start} {time.monotonic()}\n")

    return Job(call, lambda result: {"value": 42})


def environment(contender, data):
    return Job(lambda: time.sleep(0.06), lambda result: dict(os.environ))


def allocates(contender, data, mebibytes):
    return Job(lambda: b"x" * (mebibytes << 20), lambda result: {"value": 42})


def _fails_after(calls, contender, fail):
    made = 0

    def call():
        nonlocal made
        made += 1
        if contender == "second" and made > calls:
            fail()
        time.sleep(0.06)

    return call


def _raise():
    raise ValueError("second gives up")
