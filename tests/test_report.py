"""The table of calls."""

from fastml._report import table
from fastml._support.dispatch import Call


def test_the_table_is_aligned_and_says_why():
    made = [
        Call("KMeans.predict", None, 1200, 1.5),
        Call("KMeans.fit", "needs dense or CSR input", 3, 0.25),
        Call("KMeans.fit", None, 10, 12.3456),
    ]
    assert table(made).splitlines() == [
        "fastml: 1210 calls ran on fastml, 3 on scikit-learn.",
        "call            ran on        calls  seconds  why not fastml",
        "KMeans.fit      fastml           10   12.346",
        "KMeans.fit      scikit-learn      3    0.250  needs dense or CSR input",
        "KMeans.predict  fastml         1200    1.500",
    ]


def test_workers_are_mentioned():
    assert table([Call("k_means", None, 1, 0.5)], n_workers=2).splitlines()[-1].startswith("With those of 2 worker")


def test_no_calls():
    assert table([]) == "fastml: no call was made of anything that fastml accelerates."
