"""Headwater's server as it is installed.

Its packages (server, planner, storage) lie in a folder of this package, out of the way of others with such names. Only
the server's own processes have it on their path.
"""
