"""Principal components and truncated singular value decompositions."""
