"""What all estimators share.

``dispatch``
    Whether a call runs on fastml or on scikit-learn, and the record of it.
``config``
    The settings ``fallback`` and ``n_threads``.
``threads``
    The one decision on the number of threads.
``validation``
    Input checks, with a way past them for plain arrays.
``workers``
    How settings and patches reach joblib's workers and other processes.
``import_hooks``
    What is to be done once a module has been imported.
``to_sklearn``
    The equal stock estimator.
``private_names``
    The private scikit-learn names in use.
"""
