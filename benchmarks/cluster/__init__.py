"""k-means: fits from given and drawn centroids, mini-batches, prediction, seeding."""
