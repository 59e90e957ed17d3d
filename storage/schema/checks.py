"""The limits of a schema, and checks that its settings are within them and fit together."""

import re
from collections.abc import Mapping

from storage.errors import InvalidName, InvalidRequest, LimitExceeded
from storage.schema.collection_schema import CollectionSchema
from storage.schema.payload_schema import check_fields
from storage.schema.spaces import Datatype, DenseSpace, IvfConfig, MultiSpace, SpaceSchema, SparseSpace
from storage.schema.text_settings import MAX_TEXT_INDEXES, TextSettings, check_text_settings

MAX_DIMENSIONS = 65_536
MAX_SPACES = 256
MAX_NAME_BYTES = 255
MAX_EF = 10_000
MAX_OVERSAMPLING = 1_000
MAX_LEVELS = 3
MAX_LISTS = 65_536
_CONTROL = re.compile(r"[\x00-\x1f\x7f/]")


def check_name(name: str, field_path: str) -> None:
    """Raises InvalidName unless `name` may name a collection or alias."""
    if not name:
        raise InvalidName(field_path, "the name is empty")
    _check_text(name, field_path)


def check_space_name(name: str, field_path: str) -> None:
    """Raises InvalidName unless `name` may name a space; the empty string is the unnamed space."""
    if name:
        _check_text(name, field_path)


def _check_text(name: str, field_path: str) -> None:
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidName(field_path, f"the name is longer than {MAX_NAME_BYTES} bytes")
    if _CONTROL.search(name):
        raise InvalidName(field_path, "the name has a control character or '/'")
    if name != name.strip():
        raise InvalidName(field_path, "the name begins or ends with white space")


def check_dense_space(space: DenseSpace, field_path: str) -> None:
    """Raises InvalidRequest unless every setting of `space` is within its bounds and fits its metric."""
    _check_between(space.size, 1, MAX_DIMENSIONS, f"{field_path}.size")
    _check_between(space.hnsw.m, 2, 256, f"{field_path}.hnsw_config.m")
    _check_between(space.hnsw.ef_construct, 4, 4_096, f"{field_path}.hnsw_config.ef_construct")
    _check_between(space.hnsw.ef, 1, MAX_EF, f"{field_path}.hnsw_config.ef")
    check_ivf(space.ivf, f"{field_path}.ivf_config")
    if space.embedder is not None:
        _check_text(space.embedder, f"{field_path}.embedder")
    if space.distance.is_binary and space.datatype is not Datatype.BINARY:
        what = f"a {space.distance.name} space stores BINARY vectors, not {space.datatype.name}"
        raise InvalidRequest(f"{field_path}.datatype", what)


def check_ivf(ivf: IvfConfig, field_path: str) -> None:
    """Raises InvalidRequest unless every setting is within its bounds and the two trees fit each other."""
    check_levels(ivf.lists, f"{field_path}.lists")
    if list(ivf.lists) != sorted(ivf.lists):
        raise InvalidRequest(f"{field_path}.lists", "a level has fewer nodes than the one above")
    check_levels(ivf.nprobe, f"{field_path}.nprobe")
    if ivf.lists and ivf.nprobe and len(ivf.lists) != len(ivf.nprobe):
        what = f"{len(ivf.nprobe)} values for {len(ivf.lists)} levels of lists"
        raise InvalidRequest(f"{field_path}.nprobe", what)
    if not 1 <= ivf.sampling_factor <= 1_024:
        raise InvalidRequest(f"{field_path}.sampling_factor", f"{ivf.sampling_factor:g} is not between 1 and 1,024")
    _check_between(ivf.iterations, 0, 1_000, f"{field_path}.iterations")


def check_levels(values: tuple[int, ...], field_path: str) -> None:
    """Raises InvalidRequest unless `values` can be the values of the levels of a partition, one each."""
    if len(values) > MAX_LEVELS:
        raise LimitExceeded(field_path, limit="MAX_LEVELS", maximum=MAX_LEVELS, actual=len(values))
    for number, value in enumerate(values):
        _check_between(value, 1, MAX_LISTS, f"{field_path}[{number}]")


def check_space(name: str, space: SpaceSchema, field_path: str) -> None:
    """Raises InvalidName or InvalidRequest unless a space may have this name and these settings."""
    check_space_name(name, field_path)
    match space:
        case DenseSpace():
            check_dense_space(space, field_path)
        case MultiSpace():
            _check_multi_space(space, field_path)
        case SparseSpace():
            pass


def _check_multi_space(space: MultiSpace, field_path: str) -> None:
    check_dense_space(space.tokens, field_path)
    if space.tokens.distance.is_binary:
        raise InvalidRequest(
            f"{field_path}.distance", f"multi-vectors cannot be compared by {space.tokens.distance.name}"
        )
    if space.tokens.embedder is not None:
        raise InvalidRequest(f"{field_path}.embedder", "embedders make one vector for each text, not several")


def check_schema(schema: CollectionSchema) -> None:
    """Raises InvalidRequest unless `schema` may be stored. Field paths are those of CollectionsCreateRequest."""
    if len(schema.spaces) > MAX_SPACES:
        raise LimitExceeded("vectors", limit="MAX_SPACES", maximum=MAX_SPACES, actual=len(schema.spaces))
    for name, space in schema.spaces.items():
        check_space(name, space, f'{field_of(space)}["{name}"]')
    _check_between(schema.indexing_threshold, 1, 100_000_000, "optimizers_config.indexing_threshold")
    check_fields(schema.field_indexes, "payload_schema")
    check_texts(schema.text_indexes)


def field_of(space: SpaceSchema) -> str:
    """The field of CollectionsCreateRequest that lists spaces of this kind. CollectionsUpdateRequest puts `add_` before
    it."""
    return "sparse_vectors" if isinstance(space, SparseSpace) else "vectors"


def check_texts(text_indexes: Mapping[str, TextSettings]) -> None:
    """Raises InvalidRequest unless a collection may have these text indexes."""
    if len(text_indexes) > MAX_TEXT_INDEXES:
        actual = len(text_indexes)
        raise LimitExceeded("text_indexes", limit="MAX_TEXT_INDEXES", maximum=MAX_TEXT_INDEXES, actual=actual)
    for path, settings in text_indexes.items():
        check_text_settings(settings, f'text_indexes["{path}"]')


def _check_between(value: int, low: int, high: int, field_path: str) -> None:
    if not low <= value <= high:
        raise InvalidRequest(field_path, f"{value:,} is not between {low:,} and {high:,}")
