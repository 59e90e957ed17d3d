"""Rewrites of plans: one pure function per file and of its name, returning the same object when it does nothing."""
