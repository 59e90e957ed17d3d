"""Ways to rank points other than by an index or by fusion: one per file. What plans say of them is in ranker.py."""
