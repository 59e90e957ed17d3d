"""Who may read what is stored: its owner alone, whatever the umask. Files have mode 600, directories 700."""

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS = 0o077


def keep_private() -> None:
    """Has this process, and those that it starts, make files and directories that only their owner can use."""
    os.umask(_OTHERS)


def tighten(folder: Path) -> None:
    """Takes `folder` and all below it from others: an older program made them as the umask said. Links are left."""
    _tighten(folder, FOLDER_MODE)
    for parent, folders, files in os.walk(folder):
        for names, mode in ((folders, FOLDER_MODE), (files, FILE_MODE)):
            for name in names:
                _tighten(Path(parent, name), mode)


def tighten_folder(folder: Path) -> None:
    """Takes `folder` alone from others, so that they reach nothing below it."""
    _tighten(folder, FOLDER_MODE)


def _tighten(path: Path, mode: int) -> None:
    try:
        found = path.lstat().st_mode
        if found & (_OTHERS | 0o100 & ~mode) and not path.is_symlink():
            path.chmod(mode)
    except FileNotFoundError:
        pass  # a derived file that went meanwhile
    except OSError as error:
        log.warning("%s stays open to others: %s", path, error)
