"""IVF: rows in lists by their nearest centroid, of which a search reads a few."""
