"""Conversion between messages and the types of planner and storage, naming fields when it fails. Calls no engine."""
