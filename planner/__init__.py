"""Planner: what a query means, how it will run, and running it over a storage snapshot. Imports no gRPC."""
