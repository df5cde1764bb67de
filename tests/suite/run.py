"""Run the tests of the installed scikit-learn that concern fastml's estimators, with fastml's in their place.

    python tests/suite/run.py                                        all modules of modules.toml
    python tests/suite/run.py sklearn.cluster.tests.test_k_means     some of them
    python tests/suite/run.py --stock                                the same tests on scikit-learn as it is

See README.md beside this file.
"""

import argparse
import importlib
import importlib.metadata
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from time import perf_counter

import expected_failures
import module_table
from record import OUTCOMES, Record

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "build" / "suite"
SKLEARN_VERSION = importlib.metadata.version("scikit-learn")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="test modules, by their dotted names (default: all)")
    parser.add_argument("--stock", action="store_true", help="test scikit-learn itself, and compare with the last run")
    parser.add_argument("-k", dest="only", metavar="EXPRESSION", help="only the tests that pytest's -k selects")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="modules at a time")
    parser.add_argument("--table", type=Path, default=HERE / "modules.toml", help="the modules and what they serve")
    parser.add_argument("--expected", type=Path, default=HERE / "expected_failures.toml", help="the list of failures")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where records and logs go")
    return parser.parse_args(arguments)


def run_module(row: module_table.Concerned, options: argparse.Namespace) -> Record:
    """Run one module in a process of its own, so that a crash or a changed global ends with it."""
    stem = options.results / ("stock" if options.stock else "fastml") / row.module
    stem.parent.mkdir(parents=True, exist_ok=True)
    record, log = stem.with_name(f"{row.module}.json"), stem.with_name(f"{row.module}.log")
    record.unlink(missing_ok=True)
    package = importlib.import_module(row.module.partition(".")[0])
    command = [sys.executable, "-m", "pytest", "-p", "plugin", "-p", "no:cacheprovider", "-c", str(HERE / "suite.ini")]
    command += ["--rootdir", str(Path(str(package.__file__)).parents[1]), "--pyargs", row.module, "-q", "--tb=short"]
    command += ["--suite-expected", str(options.expected), "--suite-record", str(record)]
    command += ["--suite-stock"] if options.stock else ["--suite-serves", ",".join(row.serves)]
    command += ["-k", options.only] if options.only else []
    environment = dict(os.environ, SKLEARN_RUN_FLOAT32_TESTS="1", SCIPY_ARRAY_API="1")
    # Two processes of two threads each on two cores: threads that spin while they wait take the time of those that work
    # (test_validation beside test_partial_dependence: 39 s with the defaults, 27 s so, 40 s one after the other).
    environment |= {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    environment.pop("PYTEST_ADDOPTS", None)
    with log.open("w", encoding="utf-8") as output:
        status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment).returncode
    found = Record.read(record) if record.exists() else Record()
    if (status != 0 and found.ok) or not (found.outcomes or found.complaints):
        found.complaints.append(f"pytest ended with status {status}:\n{_tail(log)}")
    if not found.ok:
        found.complaints.append(f"tracebacks: {log}")
    return found


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
    return "\n".join(f"      {line}" for line in lines)


def print_module(module: str, record: Record) -> None:
    """Print the line of a module, and below it what is wrong with it."""
    counts = ", ".join(f"{record.counts[outcome]} {outcome}" for outcome in OUTCOMES if record.counts[outcome])
    verdict = "ok  " if record.ok else "FAIL"
    print(f"{verdict} {module}: {counts or 'no test'}; {sum(record.served.values())} calls, {record.seconds:.1f} s")
    for test_id, outcome in record.outcomes.items():
        if outcome in ("failed", "stale"):
            print(f"     {outcome} {test_id}\n         {record.details.get(test_id, '')}")
    for complaint in record.complaints:
        print(f"     {complaint}")
    sys.stdout.flush()


def compare(options: argparse.Namespace, stock: dict[str, Record]) -> list[str]:
    """What fastml's last run of the same modules left out of what stock scikit-learn was tested for."""
    entries = expected_failures.read(options.expected, SKLEARN_VERSION)
    absent = [entry for entry in entries if entry.kind == "absent"]
    differences = []
    for module, record in stock.items():
        path = options.results / "fastml" / f"{module}.json"
        ours = Record.read(path) if path.exists() else None
        if ours is None or ours.partial or record.partial:
            print(f"not compared, for want of a whole run of both: {module}")
            continue
        lost = record.outcomes.keys() - ours.outcomes.keys()
        for entry in (entry for entry in absent if entry.module == module):
            matched = {test for test in lost if entry.matches(test)}
            lost -= matched
            if not matched:
                differences.append(f"stale entry, nothing is absent: {entry.test}")
        differences += [f"only with stock: {test}" for test in lost]
        differences += [f"only with fastml: {test}" for test in ours.outcomes.keys() - record.outcomes.keys()]
        differences += [
            f"{outcome} with fastml only: {test} ({ours.details[test]})"
            for test, outcome in ours.outcomes.items()
            if outcome in ("skipped", "xfailed") and record.outcomes.get(test) in ("passed", "xpassed")
        ]
    return sorted(differences)


def print_summary(records: dict[str, Record], seconds: float) -> None:
    """Print the totals of the run."""
    outcomes: Counter[str] = Counter()
    served: Counter[str] = Counter()
    fallbacks: Counter[str] = Counter()
    skips: Counter[str] = Counter()
    for record in records.values():
        skips.update(record.details[test] for test, outcome in record.outcomes.items() if outcome == "skipped")
        outcomes.update(record.counts)
        served.update(record.served)
        fallbacks.update(record.fallbacks)
    print(f"\n{len(records)} modules, {outcomes.total()} tests in {seconds:.0f} s:")
    print("  " + ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in OUTCOMES))
    for reason, count in skips.most_common(5):
        print(f"  {count} {reason[:110]}")
    if served:
        print("  calls served: " + ", ".join(f"{name} {count}" for name, count in sorted(served.items())))
    for reason, count in fallbacks.most_common():
        print(f"  {count} fallbacks: {reason}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; 0 when everything is as the list says."""
    options = parse(arguments)
    rows = module_table.read(options.table).choose(options.modules)
    subject = "scikit-learn itself" if options.stock else f"fastml {importlib.metadata.version('fastml')}"
    print(f"scikit-learn {SKLEARN_VERSION}'s tests on {subject}", flush=True)
    start = perf_counter()
    records = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(run_module, row, options): row.module for row in rows}
        for done in as_completed(running):
            module = running[done]
            records[module] = done.result()
            print_module(module, records[module])
    differences = compare(options, records) if options.stock else []
    for difference in differences:
        print(difference)
    print_summary(records, perf_counter() - start)
    return 0 if all(record.ok for record in records.values()) and not differences else 1


if __name__ == "__main__":
    sys.exit(main())
