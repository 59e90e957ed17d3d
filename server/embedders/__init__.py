"""Embedders: what makes vectors of the texts in requests. The planner and storage know vectors alone."""
