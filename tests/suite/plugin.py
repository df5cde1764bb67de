"""The pytest plugin under which scikit-learn's own tests run with fastml's classes (`run.py` loads it with -p).

It patches scikit-learn before any test module is imported, proves that nothing was left unpatched, marks the tests of
the list as expected to fail, and writes what happened as a `record.Record`. With --suite-stock it leaves scikit-learn
as it is and does the rest.
"""

import argparse
import importlib
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from time import perf_counter

import expected_failures
import pytest
import sklearn
from record import Record
from replacement import Replacement, find_replacements, unreplaced

XPASS_STRICT = "[XPASS(strict)]"  # how pytest reports a strictly expected failure that passed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that run.py gives."""
    group = parser.getgroup("suite", "scikit-learn's tests on fastml")
    group.addoption("--suite-stock", action="store_true", help="leave scikit-learn as it is")
    group.addoption("--suite-serves", default="", help="comma-separated names of which fastml must serve a call")
    group.addoption("--suite-expected", type=Path, required=True, help="the list of expected failures")
    group.addoption("--suite-record", type=Path, required=True, help="the JSON file to write")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Patch scikit-learn ahead of its own conftest.py, which is imported next."""
    options = early_config.known_args_namespace
    suite = StockSuite(options) if options.suite_stock else Suite(options)
    early_config.pluginmanager.register(suite, "suite")


class StockSuite:
    """Runs the tests on scikit-learn as it is."""

    failing: tuple[str, ...] = ("fails_with_stock",)

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.record = Record()
        self.start = perf_counter()
        self.entries = expected_failures.read(options.suite_expected, sklearn.__version__)
        self.test_ids: dict[str, str] = {}
        self.listed: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Mark the tests of the list, and find the entries that name no test; ahead of what -k deselects."""
        modules = {item.module.__name__ for item in items}
        failing = [entry for entry in self.entries if entry.kind in self.failing]
        unmatched = [entry for entry in failing if entry.module in modules]
        for item in items:
            test_id = item.module.__name__ + item.nodeid[item.nodeid.index("::") :]
            self.test_ids[item.nodeid] = test_id
            for entry in failing:
                if entry.matches(test_id):
                    self.listed.add(test_id)
                    # In front of a mark of scikit-learn's own, which need not be strict.
                    item.add_marker(pytest.mark.xfail(reason=entry.reason, strict=True), append=False)
                    unmatched = [other for other in unmatched if other != entry]
        self.record.complaints += [f"stale entry, there is no such test: {entry.test}" for entry in unmatched]

    def pytest_deselected(self) -> None:
        """Note that the run says nothing on the module as a whole."""
        self.record.partial = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome of a test; a failing setup or teardown makes it a failure."""
        test_id = self.test_ids[report.nodeid]
        if report.failed:
            stale = str(report.longrepr).startswith(XPASS_STRICT) and test_id in self.listed
            self._note(test_id, "stale" if stale else "failed", _crash_line(report))
        elif report.skipped:
            if not hasattr(report, "wasxfail"):
                self._note(test_id, "skipped", _skip_reason(report))
            else:
                self._note(test_id, "expected" if test_id in self.listed else "xfailed", report.wasxfail)
        elif report.when == "call":
            self._note(test_id, "xpassed" if hasattr(report, "wasxfail") else "passed")

    def _note(self, test_id: str, outcome: str, detail: str = "") -> None:
        self.record.outcomes[test_id] = outcome
        if detail:
            self.record.details[test_id] = detail

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the record, and let the exit status say whether it is in order."""
        self.record.seconds = perf_counter() - self.start
        self.record.write(self.options.suite_record)
        if session.exitstatus == pytest.ExitCode.OK and not self.record.ok:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what is wrong with the run as a whole."""
        for complaint in self.record.complaints:
            terminalreporter.write_line(f"SUITE {complaint}", red=True)


class Suite(StockSuite):
    """Runs the tests on fastml, and sees to it that it really is fastml."""

    failing = ("fails", "fails_with_stock")

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        os.environ["FASTML_FALLBACK"] = "error"  # in the worker processes that tests start, too
        self.replacements: list[Replacement] = find_replacements()
        self.fastml = importlib.import_module("fastml")
        self.fastml.patch_sklearn()
        self.refused: Counter[str] = Counter()
        self._count_refusals()

    def _count_refusals(self) -> None:
        """Count the FallbackErrors where they are made: a test may catch one and pass."""
        error = self.fastml.FallbackError
        original = error.__init__

        def counting(instance: Exception, *args: object) -> None:
            self.refused[str(args[0]).partition(". ")[0]] += 1  # without the advice
            original(instance, *args)

        error.__init__ = counting

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Refuse a run in which anything still refers to scikit-learn's own classes."""
        modules = {item.module.__name__: item.module for item in session.items if isinstance(item, pytest.Function)}
        if left := unreplaced(self.replacements, modules.values()):
            self.record.complaints += left
            raise pytest.UsageError("this run would test scikit-learn itself:\n  " + "\n  ".join(left))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Find the entries of tests that are said to be absent and are not."""
        super().pytest_collection_modifyitems(items)
        absent = [entry for entry in self.entries if entry.kind == "absent"]
        present = {entry.test for entry in absent if any(map(entry.matches, self.test_ids.values()))}
        self.record.complaints += [f"stale entry, the test is there: {test}" for test in sorted(present)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that passes although a call in it was refused: fastml did not serve what it tests."""
        before = self.refused.copy()
        result = yield
        if swallowed := self.refused - before:
            raise AssertionError(f"passed although fastml refused calls: {'; '.join(swallowed)}")
        return result

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Add the calls to the record, and miss those that should have been served."""
        calls = importlib.import_module("fastml._support.dispatch").calls()
        for call in calls:
            if call.reason is None:
                self.record.served[call.name] = self.record.served.get(call.name, 0) + call.count
            else:
                reason = f"{call.name} {call.reason}"
                self.record.fallbacks[reason] = self.record.fallbacks.get(reason, 0) + call.count
        self.record.fallbacks.update(self.refused)
        served = {name.partition(".")[0] for name in self.record.served}
        missing = [name for name in self.options.suite_serves.split(",") if name and name not in served]
        if missing and not self.record.partial and not self.record.complaints:
            self.record.complaints.append(f"no call of {', '.join(missing)} was served: were fastml's classes tested?")
        super().pytest_sessionfinish(session)


def _skip_reason(report: pytest.TestReport) -> str:
    """Why a test was skipped; pytest gives the file, the line and the reason."""
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


def _crash_line(report: pytest.TestReport) -> str:
    """What went wrong, in a line: NumPy's assertions begin with an empty one."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash is not None else str(report.longrepr)
    return " ".join(" ".join(message.split("\n")[:3]).split())
