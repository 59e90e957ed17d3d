"""Embeddings from an ONNX model in this process, with the tokenizer in the same folder. Its packages are optional."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.embedders.settings import OnnxSettings
from server.errors import EmbedderFailed, EmbedderNotConfigured
from storage.budget import Budget
from storage.files import hide_folder

INT64_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""The names of the inputs of models for texts."""


class OnnxModel:
    """A loaded model. Safe for many threads.

    Raises EmbedderNotConfigured if a package or a file is missing or unreadable.
    """

    def __init__(self, name: str, settings: OnnxSettings) -> None:
        self._name = name
        self._settings = settings
        try:
            import onnxruntime
            import tokenizers
        except ImportError as error:
            what = f"the embedder {name!r} needs the package {error.name!r}; install the extra `onnx` of the server"
            raise EmbedderNotConfigured(what, embedder=name) from None
        folder = Path(settings.path)
        hide_folder(folder, "its folder")
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = settings.threads
            options.log_severity_level = 3
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both packages raise plain Exception
            what = f"the embedder {name!r} cannot read model.onnx and tokenizer.json in {folder}: {error}"
            raise EmbedderNotConfigured(what, embedder=name) from None
        self._tokenizer.enable_truncation(settings.max_tokens)
        self._tokenizer.enable_padding()
        self._inputs = [each.name for each in self._session.get_inputs() if each.name in INT64_INPUTS]

    def embed(self, texts: Sequence[str], budget: Budget) -> NDArray[np.float32]:
        """One row per text (float32, (n, dimensions)). Raises EmbedderFailed, DeadlineExceeded, Cancelled."""
        rows = []
        for start in range(0, len(texts), self._settings.batch_size):
            budget.check()
            rows.append(self._embed_batch(texts[start : start + self._settings.batch_size]))
        return np.concatenate(rows)

    def close(self) -> None:
        """Does nothing: the memory is freed with the last reference."""

    def _embed_batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(list(texts))
        arrays = {
            "input_ids": np.array([each.ids for each in encoded], np.int64),
            "attention_mask": np.array([each.attention_mask for each in encoded], np.int64),
            "token_type_ids": np.array([each.type_ids for each in encoded], np.int64),
        }
        try:
            output = self._session.run(None, {name: arrays[name] for name in self._inputs})[0]
        except Exception as error:  # onnxruntime raises plain Exception
            raise EmbedderFailed(self._name, f"cannot run: {error}") from None
        pooled = pool(np.asarray(output, np.float32), arrays["attention_mask"], self._settings.pooling)
        if pooled is None:
            raise EmbedderFailed(self._name, f"gives an array of shape {output.shape}, neither tokens nor texts")
        if self._settings.normalize:
            lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
            pooled = np.divide(pooled, lengths, out=pooled, where=lengths > 0)
        return pooled


def pool(output: NDArray[np.float32], mask: NDArray[np.int64], pooling: str) -> NDArray[np.float32] | None:
    """One row per text from the model's output; None for an output of another shape.

    An output (n, d) stays as it is. Of an output (n, tokens, d), `pooling` takes the first token, or the mean of the
    tokens that `mask` (n, tokens) marks."""
    if output.ndim == 2:
        return output.copy()
    if output.ndim != 3:
        return None
    if pooling == "cls":
        return output[:, 0].copy()
    weights = mask[:, :, None].astype(np.float32)
    mean: NDArray[np.float32] = (output * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return mean
