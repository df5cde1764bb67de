"""What trains networks, beneath the estimators: steps of optimizers."""
