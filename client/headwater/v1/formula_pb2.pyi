from headwater.v1 import filter_pb2 as _filter_pb2
from headwater.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UndefinedScore(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNDEFINED_SCORE_UNSPECIFIED: _ClassVar[UndefinedScore]
    UNDEFINED_SCORE_REFUSE: _ClassVar[UndefinedScore]
    UNDEFINED_SCORE_DROP: _ClassVar[UndefinedScore]
UNDEFINED_SCORE_UNSPECIFIED: UndefinedScore
UNDEFINED_SCORE_REFUSE: UndefinedScore
UNDEFINED_SCORE_DROP: UndefinedScore

class Formula(_message.Message):
    __slots__ = ("expression", "defaults", "undefined")
    class DefaultsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _payload_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_payload_pb2.Value, _Mapping]] = ...) -> None: ...
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    expression: Expression
    defaults: _containers.MessageMap[str, _payload_pb2.Value]
    undefined: UndefinedScore
    def __init__(self, expression: _Optional[_Union[Expression, _Mapping]] = ..., defaults: _Optional[_Mapping[str, _payload_pb2.Value]] = ..., undefined: _Optional[_Union[UndefinedScore, str]] = ...) -> None: ...

class Expression(_message.Message):
    __slots__ = ("constant", "score", "field", "condition", "sum", "mult", "min", "max", "neg", "abs", "sqrt", "exp", "ln", "log10", "pow", "div", "geo_distance", "datetime", "datetime_key", "exp_decay", "gauss_decay", "lin_decay", "text")
    CONSTANT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    MULT_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    NEG_FIELD_NUMBER: _ClassVar[int]
    ABS_FIELD_NUMBER: _ClassVar[int]
    SQRT_FIELD_NUMBER: _ClassVar[int]
    EXP_FIELD_NUMBER: _ClassVar[int]
    LN_FIELD_NUMBER: _ClassVar[int]
    LOG10_FIELD_NUMBER: _ClassVar[int]
    POW_FIELD_NUMBER: _ClassVar[int]
    DIV_FIELD_NUMBER: _ClassVar[int]
    GEO_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    DATETIME_FIELD_NUMBER: _ClassVar[int]
    DATETIME_KEY_FIELD_NUMBER: _ClassVar[int]
    EXP_DECAY_FIELD_NUMBER: _ClassVar[int]
    GAUSS_DECAY_FIELD_NUMBER: _ClassVar[int]
    LIN_DECAY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    constant: float
    score: int
    field: str
    condition: _filter_pb2.Filter
    sum: ExpressionList
    mult: ExpressionList
    min: ExpressionList
    max: ExpressionList
    neg: Expression
    abs: Expression
    sqrt: Expression
    exp: Expression
    ln: Expression
    log10: Expression
    pow: PowExpression
    div: DivExpression
    geo_distance: GeoDistance
    datetime: str
    datetime_key: str
    exp_decay: DecayExpression
    gauss_decay: DecayExpression
    lin_decay: DecayExpression
    text: str
    def __init__(self, constant: _Optional[float] = ..., score: _Optional[int] = ..., field: _Optional[str] = ..., condition: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., sum: _Optional[_Union[ExpressionList, _Mapping]] = ..., mult: _Optional[_Union[ExpressionList, _Mapping]] = ..., min: _Optional[_Union[ExpressionList, _Mapping]] = ..., max: _Optional[_Union[ExpressionList, _Mapping]] = ..., neg: _Optional[_Union[Expression, _Mapping]] = ..., abs: _Optional[_Union[Expression, _Mapping]] = ..., sqrt: _Optional[_Union[Expression, _Mapping]] = ..., exp: _Optional[_Union[Expression, _Mapping]] = ..., ln: _Optional[_Union[Expression, _Mapping]] = ..., log10: _Optional[_Union[Expression, _Mapping]] = ..., pow: _Optional[_Union[PowExpression, _Mapping]] = ..., div: _Optional[_Union[DivExpression, _Mapping]] = ..., geo_distance: _Optional[_Union[GeoDistance, _Mapping]] = ..., datetime: _Optional[str] = ..., datetime_key: _Optional[str] = ..., exp_decay: _Optional[_Union[DecayExpression, _Mapping]] = ..., gauss_decay: _Optional[_Union[DecayExpression, _Mapping]] = ..., lin_decay: _Optional[_Union[DecayExpression, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class ExpressionList(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[Expression]
    def __init__(self, parts: _Optional[_Iterable[_Union[Expression, _Mapping]]] = ...) -> None: ...

class PowExpression(_message.Message):
    __slots__ = ("base", "exponent")
    BASE_FIELD_NUMBER: _ClassVar[int]
    EXPONENT_FIELD_NUMBER: _ClassVar[int]
    base: Expression
    exponent: Expression
    def __init__(self, base: _Optional[_Union[Expression, _Mapping]] = ..., exponent: _Optional[_Union[Expression, _Mapping]] = ...) -> None: ...

class DivExpression(_message.Message):
    __slots__ = ("left", "right", "by_zero_default")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    BY_ZERO_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    left: Expression
    right: Expression
    by_zero_default: float
    def __init__(self, left: _Optional[_Union[Expression, _Mapping]] = ..., right: _Optional[_Union[Expression, _Mapping]] = ..., by_zero_default: _Optional[float] = ...) -> None: ...

class GeoDistance(_message.Message):
    __slots__ = ("origin", "path")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    origin: _filter_pb2.GeoPoint
    path: str
    def __init__(self, origin: _Optional[_Union[_filter_pb2.GeoPoint, _Mapping]] = ..., path: _Optional[str] = ...) -> None: ...

class DecayExpression(_message.Message):
    __slots__ = ("x", "target", "scale", "midpoint")
    X_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    MIDPOINT_FIELD_NUMBER: _ClassVar[int]
    x: Expression
    target: Expression
    scale: float
    midpoint: float
    def __init__(self, x: _Optional[_Union[Expression, _Mapping]] = ..., target: _Optional[_Union[Expression, _Mapping]] = ..., scale: _Optional[float] = ..., midpoint: _Optional[float] = ...) -> None: ...
