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
        """A string with the words of `text` one after the other, in any case."""
        return TextTest(self.path, TextOperator.PHRASE, text)

    def starts_with(self, prefix: str) -> TextTest:
        """A string that starts with `prefix`."""
        return TextTest(self.path, TextOperator.STARTS_WITH, prefix)

    def contains(self, part: str) -> TextTest:
        """A string that `part` is a part of."""
        return TextTest(self.path, TextOperator.CONTAINS, part)

    def glob(self, pattern: str) -> TextTest:
        """A string that the glob matches as a whole; `*` also matches `/`, `?` one byte."""
        return TextTest(self.path, TextOperator.GLOB, pattern)

    def iglob(self, pattern: str) -> TextTest:
        """The same without regard to the case of ASCII letters."""
        return TextTest(self.path, TextOperator.IGLOB, pattern)

    def not_glob(self, pattern: str) -> Filter:
        """Where `glob` does not hold: also where the field is missing, and false where any element matches."""
        return ~self.glob(pattern)

    def not_iglob(self, pattern: str) -> Filter:
        """Where `iglob` does not hold."""
        return ~self.iglob(pattern)

    def regex(self, pattern: str) -> TextTest:
        """A string in which the regular expression (RE2) matches somewhere."""
        return TextTest(self.path, TextOperator.REGEX, pattern)
