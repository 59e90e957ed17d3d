"""Storage: ids, payloads and vectors on disk, and searches of one space. Knows no trees of queries, and no gRPC."""
