"""What is measured for trees and their ensembles, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

FORESTS = ("scikit-learn", "sklearnex", "fastml")
SCIKIT_LEARN_ONLY = ("scikit-learn", "fastml")  # sklearnex has forests, no single trees and no boosting

IDENTICAL = 1.0
# Among a handful of samples several features allow the same partition. On real targets the last bit of a sum says then
# which of them is taken, and sums are added up in another order: of the nodes of trees grown to the end, 15% have
# another feature or lie below one that has. All these differences begin in nodes of fewer than 40 of 45,000 samples.
BUT_FOR_NEAR_TIES = 0.8

TREE = {"estimator": "tree:DecisionTreeClassifier", "random_state": 0}
FOREST = {"estimator": "ensemble:RandomForestClassifier", "n_estimators": 20, "random_state": 0}


def _data(generator: str, **arguments: Any) -> Named:
    return Named(f"benchmarks.datasets:{generator}", arguments)


def _workload(
    name: str,
    data: Named,
    task: Named,
    check: Named,
    contenders: tuple[str, ...],
    goals: tuple[Goal, ...] = (),
    memory: bool = False,
) -> Workload:
    # float32, as trees compare values: no contender has to convert them.
    return Workload(
        f"tree/{name}", data, "float32", task, check, contenders, "scikit-learn", goals=goals, memory=memory
    )


def _fit(
    name: str,
    data: Named,
    estimator: dict[str, Any],
    contenders: tuple[str, ...] = FORESTS,
    goals: tuple[Goal, ...] = (),
    nodes: float = IDENTICAL,
    memory: bool = True,
) -> Workload:
    task = Named("benchmarks.tree.tasks:fit", estimator)
    check = Named("benchmarks.tree.answers:same_trees", {"nodes": nodes})
    return _workload(name, data, task, check, contenders, goals, memory)


def _goals(over_scikit_learn: float, over_sklearnex: float | None = None) -> tuple[Goal, ...]:
    goals = (Goal(over_scikit_learn, "scikit-learn"),)
    return goals if over_sklearnex is None else (*goals, Goal(over_sklearnex, "sklearnex"))


FOREST_ROWS = {"rows": 35_000, "features": 32, "held_out": 5_000}

WORKLOADS: tuple[Workload, ...] = (
    _fit(
        "classifier-f32-45000x24",
        _data("classes", rows=45_000, features=24, held_out=5_000),
        TREE,
        SCIKIT_LEARN_ONLY,
        _goals(10.0),
    ),
    _fit(
        "regressor-f32-45000x16",
        _data("numbers", rows=45_000, features=16, held_out=5_000),
        {"estimator": "tree:DecisionTreeRegressor", "random_state": 0},
        SCIKIT_LEARN_ONLY,
        _goals(6.0),
        nodes=BUT_FOR_NEAR_TIES,
    ),
    _fit("forest-classifier-f32-35000x32-t20", _data("classes", **FOREST_ROWS), FOREST, goals=_goals(5.0, 1.0)),
    _fit(
        "forest-classifier-f32-35000x32-t20-50values",
        _data("classes", values=50, **FOREST_ROWS),
        FOREST,
        goals=_goals(10.0),
    ),
    _fit(
        "forest-regressor-f32-17000x16-t10",
        _data("numbers", rows=17_000, features=16, held_out=4_000),
        {"estimator": "ensemble:RandomForestRegressor", "n_estimators": 10, "random_state": 0},
        goals=_goals(5.0, 1.0),
        nodes=BUT_FOR_NEAR_TIES,
    ),
    _fit(
        "extra-classifier-f32-35000x32-t20",
        _data("classes", **FOREST_ROWS),
        {**FOREST, "estimator": "ensemble:ExtraTreesClassifier"},
        goals=_goals(3.0, 1.0),
    ),
    _fit(
        "boosting-classifier-f32-9000x20-t50",
        _data("classes", rows=9_000, features=20, held_out=4_000),
        {"estimator": "ensemble:GradientBoostingClassifier", "n_estimators": 50, "random_state": 0},
        SCIKIT_LEARN_ONLY,
        _goals(10.0),
        nodes=BUT_FOR_NEAR_TIES,
    ),
    *(
        _fit(f"{name}-{data}", _data(data), estimator, contenders)
        for data in ("letters", "adult", "digits")
        for name, estimator, contenders in (
            ("classifier", TREE, SCIKIT_LEARN_ONLY),
            ("forest-classifier", FOREST, FORESTS),
        )
    ),
    *(
        _workload(
            f"predict-f32-{rows}x20-t50",
            _data("classes", rows=20_000, features=20, held_out=50_000),
            Named(
                "benchmarks.tree.tasks:predict",
                {**FOREST, "n_estimators": 50, "max_depth": 14, "rows": rows},
            ),
            Named("benchmarks.tree.answers:same_probabilities"),
            FORESTS,
            goals,
        )
        for rows, goals in ((50_000, _goals(4.0, 1.5)), (1, _goals(50.0, 5.0)))
    ),
)
