"""Storage: ids, payloads and vectors on disk, and the searches over them. Knows nothing of queries or the wire."""
