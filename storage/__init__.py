"""Storage: ids, payloads and vectors on disk, and searches of one space. It knows neither query trees nor gRPC."""
