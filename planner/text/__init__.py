"""Full text: how texts become terms, the index of a field, scores by BM25, highlights. docs/text_search.md."""
