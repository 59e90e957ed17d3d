from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeyScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_SCOPE_UNSPECIFIED: _ClassVar[KeyScope]
    KEY_SCOPE_READ: _ClassVar[KeyScope]
    KEY_SCOPE_WRITE: _ClassVar[KeyScope]
    KEY_SCOPE_ADMIN: _ClassVar[KeyScope]
KEY_SCOPE_UNSPECIFIED: KeyScope
KEY_SCOPE_READ: KeyScope
KEY_SCOPE_WRITE: KeyScope
KEY_SCOPE_ADMIN: KeyScope

class KeyInfo(_message.Message):
    __slots__ = ("key_name", "scope", "collections", "filter", "expires", "created")
    KEY_NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    key_name: str
    scope: KeyScope
    collections: _containers.RepeatedScalarFieldContainer[str]
    filter: str
    expires: float
    created: float
    def __init__(self, key_name: _Optional[str] = ..., scope: _Optional[_Union[KeyScope, str]] = ..., collections: _Optional[_Iterable[str]] = ..., filter: _Optional[str] = ..., expires: _Optional[float] = ..., created: _Optional[float] = ...) -> None: ...

class KeysCreateRequest(_message.Message):
    __slots__ = ("key_name", "scope", "collections", "filter", "expires")
    KEY_NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    key_name: str
    scope: KeyScope
    collections: _containers.RepeatedScalarFieldContainer[str]
    filter: str
    expires: float
    def __init__(self, key_name: _Optional[str] = ..., scope: _Optional[_Union[KeyScope, str]] = ..., collections: _Optional[_Iterable[str]] = ..., filter: _Optional[str] = ..., expires: _Optional[float] = ...) -> None: ...

class KeysCreateResponse(_message.Message):
    __slots__ = ("key", "secret")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    key: KeyInfo
    secret: str
    def __init__(self, key: _Optional[_Union[KeyInfo, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class KeysListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class KeysListResponse(_message.Message):
    __slots__ = ("keys",)
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[KeyInfo]
    def __init__(self, keys: _Optional[_Iterable[_Union[KeyInfo, _Mapping]]] = ...) -> None: ...

class KeysRotateRequest(_message.Message):
    __slots__ = ("key_name", "overlap_seconds")
    KEY_NAME_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    key_name: str
    overlap_seconds: float
    def __init__(self, key_name: _Optional[str] = ..., overlap_seconds: _Optional[float] = ...) -> None: ...

class KeysRotateResponse(_message.Message):
    __slots__ = ("secret",)
    SECRET_FIELD_NUMBER: _ClassVar[int]
    secret: str
    def __init__(self, secret: _Optional[str] = ...) -> None: ...

class KeysDeleteRequest(_message.Message):
    __slots__ = ("key_name",)
    KEY_NAME_FIELD_NUMBER: _ClassVar[int]
    key_name: str
    def __init__(self, key_name: _Optional[str] = ...) -> None: ...

class KeysDeleteResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: _Optional[bool] = ...) -> None: ...
