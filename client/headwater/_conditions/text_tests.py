"""Tests of strings at a path: words, parts, globs and regular expressions. Evaluates nothing."""

from headwater._conditions.conditions import Filter, TextOperator, TextTest


class TextTests:
    """The methods of a field that test strings."""

    __slots__ = ()

    path: str

    def text(self, text: str) -> TextTest:
        """A string with every word of `text`, in any order and case."""
        return TextTest(self.path, TextOperator.TEXT, text)

    def phrase(self, text: str) -> TextTest:
        """A string with the words of `text` one after another, in any case."""
        return TextTest(self.path, TextOperator.PHRASE, text)

    def starts_with(self, prefix: str) -> TextTest:
        """A string that starts with `prefix`."""
        return TextTest(self.path, TextOperator.STARTS_WITH, prefix)

    def contains(self, part: str) -> TextTest:
        """A string that contains `part`."""
        return TextTest(self.path, TextOperator.CONTAINS, part)

    def glob(self, pattern: str) -> TextTest:
        """A string that matches the glob as a whole. `*` also matches `/`; `?` matches one byte."""
        return TextTest(self.path, TextOperator.GLOB, pattern)

    def iglob(self, pattern: str) -> TextTest:
        """Like `glob`, but ASCII letters match in either case."""
        return TextTest(self.path, TextOperator.IGLOB, pattern)

    def not_glob(self, pattern: str) -> Filter:
        """True where `glob` is false: also where the field is missing. False if any element of an array matches."""
        return ~self.glob(pattern)

    def not_iglob(self, pattern: str) -> Filter:
        """True where `iglob` is false."""
        return ~self.iglob(pattern)

    def regex(self, pattern: str) -> TextTest:
        """A string in which the regular expression (RE2) matches somewhere."""
        return TextTest(self.path, TextOperator.REGEX, pattern)
