"""Decision trees, forests and boosting."""
