"""Paths as clients are told them: relative to a folder of this server. Where that lies is for its log alone."""

import os
from pathlib import Path

_FOLDERS: dict[str, str] = {}


def hide_folder(folder: Path, name: str) -> None:
    """From now on texts for clients name what is in `folder` relative to it, and itself by `name`."""
    for path in {str(folder.absolute()), os.path.realpath(folder)}:
        if len(path) > 1:
            _FOLDERS[path] = name


def told(text: str) -> str:
    """`text` as a client may see it: without what leads to folders of this server."""
    for path, name in sorted(_FOLDERS.items(), reverse=True):  # the longer of two that begin alike comes first
        if path in text:
            text = text.replace(f"{path}/", "").replace(path, name)
    return text
