"""Globs match as the defaults of globset: verified vectors, patterns that are refused, and time that stays linear."""

import time

import pytest

from planner.predicate.globs import compile_glob

VECTORS = [  # pattern, value, whether glob matches, whether iglob does
    ("*.rs", "foo.rs", True, True),
    ("*.rs", "foo/bar.rs", True, True),
    ("*.rs", ".rs", True, True),
    ("*.RS", "foo.rs", False, True),
    ("**.tsx", "src/a/b.tsx", True, True),
    ("**.js", "a.jsx", False, False),
    ("/vendor/**", "/vendor/x/y.go", True, True),
    ("/vendor/**", "/vendor", False, False),
    ("/vendor/**", "/vendor/", True, True),
    ("/vendor/**", "a/vendor/x", False, False),
    ("**/foo", "foo", True, True),
    ("**/foo", "a/b/foo", True, True),
    ("**/foo", "barfoo", False, False),
    ("a/**/b", "a/b", True, True),
    ("a/**/b", "a/x/y/b", True, True),
    ("a/**/b", "a/xb", False, False),
    ("a**b", "a/x/b", True, True),
    ("?at", "/at", True, True),
    ("a?c", "aéc", False, False),
    ("a??c", "aéc", True, True),
    ("[ab]c", "ac", True, True),
    ("[!ab]c", "cc", True, True),
    ("[^ab]c", "ac", False, False),
    ("[a-c]1", "d1", False, False),
    ("[]]x", "]x", True, True),
    ("[*]", "a", False, False),
    ("[[:alpha:]]", "a", False, False),
    ("{foo,bar}.txt", "bar.txt", True, True),
    ("{a,b{c,d}}", "bd", True, True),
    ("foo{,.txt}", "foo", False, False),
    ("foo{,.txt}", "foo.txt", True, True),
    (r"a\*b", "a*b", True, True),
    (r"a\*b", "axb", False, False),
    ("*", "", True, True),
    ("a,b", "a,b", True, True),
    ("foo", "foo/", False, False),
    ("[é]", "é", False, False),
    ("É", "é", False, False),
    ("FOO*", "foobar", False, True),
    ("**", "a/b", True, True),
    ("a/**/**/b", "a/b", True, True),
    ("*", "line\nline", True, True),
    ("[A-Z]", "q", False, True),
    ("[!a]", "A", True, False),
    ("!a", "!a", True, True),
    ("[a-]", "-", True, True),
]


@pytest.mark.parametrize(("pattern", "value", "matches", "ignoring_case"), VECTORS)
def test_vectors(pattern: str, value: str, matches: bool, ignoring_case: bool) -> None:
    assert compile_glob(pattern)(value) is matches
    assert compile_glob(pattern, ignore_case=True)(value) is ignoring_case


@pytest.mark.parametrize("pattern", ["[a", "{a", "a}", "[z-a]", "a\\", "["])
def test_what_is_no_glob_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        compile_glob(pattern)


def test_time_is_linear() -> None:
    start = time.perf_counter()
    assert not compile_glob("*a" * 100 + "b")("a" * 20_000)
    assert time.perf_counter() - start < 5
