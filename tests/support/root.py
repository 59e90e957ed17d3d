"""The folder of the repository, told once, so that a test may lie in any folder below tests/."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
