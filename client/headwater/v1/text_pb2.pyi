from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TextTokenizer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_TOKENIZER_UNSPECIFIED: _ClassVar[TextTokenizer]
    TEXT_TOKENIZER_WORD: _ClassVar[TextTokenizer]
    TEXT_TOKENIZER_WHITESPACE: _ClassVar[TextTokenizer]
    TEXT_TOKENIZER_PREFIX: _ClassVar[TextTokenizer]
    TEXT_TOKENIZER_PRE_TOKENIZED: _ClassVar[TextTokenizer]

class TextCombine(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_COMBINE_UNSPECIFIED: _ClassVar[TextCombine]
    TEXT_COMBINE_SUM: _ClassVar[TextCombine]
    TEXT_COMBINE_MAX: _ClassVar[TextCombine]
TEXT_TOKENIZER_UNSPECIFIED: TextTokenizer
TEXT_TOKENIZER_WORD: TextTokenizer
TEXT_TOKENIZER_WHITESPACE: TextTokenizer
TEXT_TOKENIZER_PREFIX: TextTokenizer
TEXT_TOKENIZER_PRE_TOKENIZED: TextTokenizer
TEXT_COMBINE_UNSPECIFIED: TextCombine
TEXT_COMBINE_SUM: TextCombine
TEXT_COMBINE_MAX: TextCombine

class StopWords(_message.Message):
    __slots__ = ("words",)
    WORDS_FIELD_NUMBER: _ClassVar[int]
    words: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, words: _Optional[_Iterable[str]] = ...) -> None: ...

class TextIndexParams(_message.Message):
    __slots__ = ("tokenizer", "language", "stemming", "remove_stop_words", "stop_words", "ascii_folding", "lowercase", "min_token_length", "max_token_length", "k1", "b", "k3")
    TOKENIZER_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    STEMMING_FIELD_NUMBER: _ClassVar[int]
    REMOVE_STOP_WORDS_FIELD_NUMBER: _ClassVar[int]
    STOP_WORDS_FIELD_NUMBER: _ClassVar[int]
    ASCII_FOLDING_FIELD_NUMBER: _ClassVar[int]
    LOWERCASE_FIELD_NUMBER: _ClassVar[int]
    MIN_TOKEN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKEN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    K1_FIELD_NUMBER: _ClassVar[int]
    B_FIELD_NUMBER: _ClassVar[int]
    K3_FIELD_NUMBER: _ClassVar[int]
    tokenizer: TextTokenizer
    language: str
    stemming: bool
    remove_stop_words: bool
    stop_words: StopWords
    ascii_folding: bool
    lowercase: bool
    min_token_length: int
    max_token_length: int
    k1: float
    b: float
    k3: float
    def __init__(self, tokenizer: _Optional[_Union[TextTokenizer, str]] = ..., language: _Optional[str] = ..., stemming: _Optional[bool] = ..., remove_stop_words: _Optional[bool] = ..., stop_words: _Optional[_Union[StopWords, _Mapping]] = ..., ascii_folding: _Optional[bool] = ..., lowercase: _Optional[bool] = ..., min_token_length: _Optional[int] = ..., max_token_length: _Optional[int] = ..., k1: _Optional[float] = ..., b: _Optional[float] = ..., k3: _Optional[float] = ...) -> None: ...

class Bm25Field(_message.Message):
    __slots__ = ("path", "weight")
    PATH_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    path: str
    weight: float
    def __init__(self, path: _Optional[str] = ..., weight: _Optional[float] = ...) -> None: ...

class TextTokens(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class Bm25(_message.Message):
    __slots__ = ("text", "tokens", "fields", "combine", "all_terms", "last_as_prefix", "plain", "highlight")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    COMBINE_FIELD_NUMBER: _ClassVar[int]
    ALL_TERMS_FIELD_NUMBER: _ClassVar[int]
    LAST_AS_PREFIX_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHT_FIELD_NUMBER: _ClassVar[int]
    text: str
    tokens: TextTokens
    fields: _containers.RepeatedCompositeFieldContainer[Bm25Field]
    combine: TextCombine
    all_terms: bool
    last_as_prefix: bool
    plain: bool
    highlight: HighlightParams
    def __init__(self, text: _Optional[str] = ..., tokens: _Optional[_Union[TextTokens, _Mapping]] = ..., fields: _Optional[_Iterable[_Union[Bm25Field, _Mapping]]] = ..., combine: _Optional[_Union[TextCombine, str]] = ..., all_terms: _Optional[bool] = ..., last_as_prefix: _Optional[bool] = ..., plain: _Optional[bool] = ..., highlight: _Optional[_Union[HighlightParams, _Mapping]] = ...) -> None: ...

class HighlightParams(_message.Message):
    __slots__ = ("fragments", "fragment_length")
    FRAGMENTS_FIELD_NUMBER: _ClassVar[int]
    FRAGMENT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    fragments: int
    fragment_length: int
    def __init__(self, fragments: _Optional[int] = ..., fragment_length: _Optional[int] = ...) -> None: ...

class TextSpan(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class Highlight(_message.Message):
    __slots__ = ("path", "element", "fragment", "offset", "spans")
    PATH_FIELD_NUMBER: _ClassVar[int]
    ELEMENT_FIELD_NUMBER: _ClassVar[int]
    FRAGMENT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    path: str
    element: int
    fragment: str
    offset: int
    spans: _containers.RepeatedCompositeFieldContainer[TextSpan]
    def __init__(self, path: _Optional[str] = ..., element: _Optional[int] = ..., fragment: _Optional[str] = ..., offset: _Optional[int] = ..., spans: _Optional[_Iterable[_Union[TextSpan, _Mapping]]] = ...) -> None: ...
