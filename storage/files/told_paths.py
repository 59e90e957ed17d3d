"""Paths in texts for clients: relative to the server's folders. Only the server's log says where these folders are."""

import os
from pathlib import Path

_FOLDERS: dict[str, str] = {}


def hide_folder(folder: Path, name: str) -> None:
    """From now on, texts for clients give paths in `folder` relative to it, and call the folder itself `name`."""
    for path in {str(folder.absolute()), os.path.realpath(folder)}:
        if len(path) > 1:
            _FOLDERS[path] = name


def told(text: str) -> str:
    """`text` as a client may see it: without the paths of this server's folders."""
    for path, name in sorted(_FOLDERS.items(), reverse=True):  # a longer path comes before its own beginning
        if path in text:
            text = text.replace(f"{path}/", "").replace(path, name)
    return text
