"""A tiny model of texts as the files that the ONNX embedder reads: one row of a table per word.

The model is written as the bytes of its protobuf message, so that making it needs no package.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

INT64, FLOAT = 7, 1  # TensorProto.DataType


def write_model(folder: Path, words: Sequence[str], table: NDArray[np.float32]) -> None:
    """Writes `model.onnx`, which gives the row of `table` (float32, (len(words) + 2, d)) of each token, and
    `tokenizer.json`, whose tokens are padding, unknown words, then `words`."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "model.onnx").write_bytes(_model(table))


def _model(table: NDArray[np.float32]) -> bytes:
    tensor = b"".join(_number(1, size) for size in table.shape)
    tensor += _number(2, FLOAT) + _bytes(8, b"table") + _bytes(9, table.astype("<f4").tobytes())
    node = _bytes(1, b"table") + _bytes(1, b"input_ids") + _bytes(2, b"tokens") + _bytes(4, b"Gather")
    inputs = b"".join(_bytes(11, _value(name, INT64, 2)) for name in (b"input_ids", b"attention_mask"))
    graph = _bytes(1, node) + _bytes(2, b"g") + _bytes(5, tensor) + inputs + _bytes(12, _value(b"tokens", FLOAT, 3))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _value(name: bytes, kind: int, rank: int) -> bytes:
    shape = b"".join(_bytes(1, _bytes(2, f"{name.decode()}{axis}".encode())) for axis in range(rank))
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, shape)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return struct.pack(f"{len(parts) + 1}B", *parts, number)
