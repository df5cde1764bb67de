"""The demo puts steps side by side and notices answers that differ."""

import importlib.util
import sys

import pytest
from conftest import ROOT


@pytest.fixture
def demo(monkeypatch):
    specification = importlib.util.spec_from_file_location("demo", ROOT / "examples" / "demo.py")
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "demo", module)
    specification.loader.exec_module(module)
    return module


def step(seconds, **more):
    return {
        "estimator": "KMeans", "title": "a step", "seconds": seconds, "score": 0.9, "labels": [0, 1] * 100,
        "inertia": 10.0, **more,
    }  # fmt: skip


def test_the_better_time_of_each_counts(demo):
    (row,) = demo.compare([[step(4.0)], [step(5.0)]], [[step(3.0)], [step(2.0)]])
    assert row.seconds == {demo.PLAIN: 4.0, demo.FASTML: 2.0}
    assert row.equal_labels == 1.0
    assert row.agrees


@pytest.mark.parametrize("spoil", [{"inertia": 10.1}, {"score": 0.8}, {"labels": [1, 0] * 100}, {"labels": [0]}])
def test_answers_that_differ_disagree(demo, spoil):
    (row,) = demo.compare([[step(1.0)]], [[step(1.0, **spoil)]])
    assert not row.agrees


@pytest.mark.parametrize("with_rich", [True, False])
@pytest.mark.parametrize(("option", "code"), [("-B", 0), ("-Xdev", 1)])
def test_a_whole_run_ends_in_how_much_sooner_and_an_exit_code(
    demo, monkeypatch, capfd, tmp_path, with_rich, option, code
):
    script = tmp_path / "script.py"
    script.write_text(
        "import json, sys\n"
        f"step = {step(1.0)}\n"
        "step['inertia'] += sys.flags.dev_mode\n"  # so that the second command comes to another answer
        "print('a step: 1 s')\n"
        "json.dump([step], open(sys.argv[-1], 'w'))\n"
    )
    if not with_rich:
        monkeypatch.setattr(demo, "rich", None)
    monkeypatch.setattr(demo, "HERE", tmp_path)
    monkeypatch.setattr(demo, "SCRIPTS", (script,))
    monkeypatch.setattr(demo, "COMMANDS", {demo.PLAIN: (sys.executable,), demo.FASTML: (sys.executable, option)})
    assert demo.main() == code
    output = capfd.readouterr().out
    assert "run 4 of 4, fastml: a step: 1 s" in output
    assert ("DISAGREES" in output) == bool(code)
    assert output.strip().endswith("times sooner.")


def test_a_script_that_fails_ends_the_demo(demo, monkeypatch, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(demo, "COMMANDS", dict.fromkeys(demo.COMMANDS, (sys.executable,)))
    with pytest.raises(SystemExit, match="ended with exit code 3"):
        demo.run_in_turns(script)


def test_steps_without_inertia_are_compared_by_score_and_labels(demo, capsys):
    plain, spoilt = step(1.0), step(1.0, labels=[1, 0] * 100)
    del plain["inertia"], spoilt["inertia"]
    (same,), (other,) = demo.compare([[plain]], [[plain]]), demo.compare([[plain]], [[spoilt]])
    assert same.agrees
    assert not other.agrees
    demo.show([same, other], title="made up")
    output = capsys.readouterr().out
    assert output.count("DISAGREES") == 1
    assert "inertia" not in output


def test_every_script_of_the_demo_is_there(demo):
    assert all(script.exists() for script in demo.SCRIPTS)
