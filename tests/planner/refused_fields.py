"""The field that an error of a query names. Owns no errors."""

from storage.errors import EngineError, InvalidRequest


def field_of(error: EngineError) -> str:
    return error.field if isinstance(error, InvalidRequest) else error.metadata["field"]
