"""The table, the plot and the exit code say what was measured."""

import pytest

pytest.importorskip("rich", reason="prints the tables, installed with the bench extra")

from rich.console import Console

from benchmarks import __main__ as command_line
from benchmarks.contenders import OURS
from benchmarks.measure import Comparison, Result
from benchmarks.table import details, duration, summary
from benchmarks.workload import Goal, Verdict

RIGHT, WRONG = Verdict(True, {"error": "0"}), Verdict(False, {"error": "1"})


@pytest.fixture
def comparison(workload):
    """fastml at 1 ms, a right peer at 2 ms, a wrong one at 0.1 ms, the baseline at 4 ms, one missing, one failed."""
    made = workload("correct", contenders=("baseline", OURS), goals=(Goal(2.5), Goal(4.0, "baseline")))
    results = [
        Result("baseline", seconds=[4e-3], verdict=RIGHT),
        Result("peer", seconds=[2e-3, 2e-3, 2.2e-3], verdict=RIGHT, disturbed=1),
        Result("liar", seconds=[1e-4], verdict=WRONG),
        Result("absent", status="not installed", reason="No module named 'absent'"),
        Result("broken", status="failed", reason="Traceback ...\nValueError: out of luck"),
        Result(OURS, seconds=[1e-3], verdict=RIGHT, peak_bytes=3 << 20),
    ]
    return Comparison(made, 2, results)


def lines(table):
    console = Console(width=200, no_color=True)
    with console.capture() as capture:
        console.print(table)
    return {line.split()[0]: " ".join(line.split()[1:]) for line in capture.get().splitlines() if line.split()}


def test_details_give_ratios_to_the_baseline_and_to_the_best_right_peer(comparison):
    rows = lines(details([comparison], "made up"))
    assert rows["baseline"].startswith("4.00 ms 0% 1.00x 0.50x")
    assert rows["peer"].startswith("2.00 ms 5% 2.00x 1.00x right")
    assert rows["peer"].endswith("1 of 3 turns disturbed by other programs")
    assert rows[OURS].startswith("1.00 ms 0% 4.00x 2.00x 3.0M right")
    assert "WRONG" in rows["liar"]
    assert rows["absent"] == "not installed"
    assert rows["broken"] == "failed ValueError: out of luck"


def test_summary_names_the_best_peer_and_says_which_goals_are_reached(comparison):
    expected = "4.00x 2.00x peer 2.5x best peer: missed, 4x baseline: reached right"
    assert lines(summary([comparison]))["made-up/correct"] == expected


def test_goals_are_unknown_when_our_answer_is_wrong(comparison):
    comparison.results[-1].verdict = WRONG
    assert [comparison.ratio(goal) for goal in comparison.workload.goals] == [None, None]
    expected = "2.5x best peer: unknown, 4x baseline: unknown WRONG"
    assert lines(summary([comparison]))["made-up/correct"].endswith(expected)


@pytest.mark.parametrize(("seconds", "text"), [(12.3, "12.3 s"), (0.0456, "45.6 ms"), (7.89e-6, "7.89 us")])
def test_durations_have_three_digits(seconds, text):
    assert duration(seconds) == text


def test_the_plot_is_written(comparison, tmp_path):
    pytest.importorskip("matplotlib", reason="draws the plot, installed with the bench extra")
    from benchmarks.plot import write_plot

    write_plot(tmp_path / "ratios.png", {"made-up": [comparison]}, "caption")
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [({}, 0), ({"verdict": WRONG}, 1), ({"status": "not installed"}, 1), ({"status": "failed", "reason": "raised"}, 1)],
)
def test_the_exit_code_is_zero_only_if_ours_ran_and_was_right(comparison, monkeypatch, spoil, code):
    for name, value in spoil.items():
        setattr(comparison.results[-1], name, value)
    monkeypatch.setattr(command_line, "compare", lambda *arguments, **options: comparison)
    assert command_line.main(["--only", "^gemm/f32-32-"]) == code


def test_an_expression_that_matches_nothing_is_an_error(capsys):
    assert command_line.main(["--only", "no such workload"]) == 2
    assert "--list" in capsys.readouterr().err


def test_an_unknown_contender_is_an_error(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["--contenders", "sklearn"])
    assert "there are scikit-learn, sklearnex" in capsys.readouterr().err
