"""The private names of scikit-learn that fastml uses, in one place.

scikit-learn may change or drop them in any release, and not only with a new minor version. A test fails when one of
them is gone, when fastml uses one that is not listed, and when one is listed that fastml no longer uses.
"""

CHECKED_AGAINST = ("1.9.1",)
"""The versions of scikit-learn on which the names were checked."""

PRIVATE_NAMES = {
    "sklearn.utils.validation._check_sample_weight": "the messages for invalid weights; there is no public equivalent",
}
"""Dotted path of each name, and what it is needed for."""
