"""Access rights: only the owner can read what is stored, whatever the umask. Files have mode 600, directories 700."""

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS = 0o077


def keep_private() -> None:
    """Makes this process, and the processes that it starts, create files and directories that only their owner can
    use."""
    os.umask(_OTHERS)


def tighten(folder: Path) -> None:
    """Removes the rights of others from `folder` and all below it: older releases created files under the umask.

    Links are not followed.
    """
    _tighten(folder, FOLDER_MODE)
    for parent, folders, files in os.walk(folder):
        for names, mode in ((folders, FOLDER_MODE), (files, FILE_MODE)):
            for name in names:
                _tighten(Path(parent, name), mode)


def tighten_folder(folder: Path) -> None:
    """Removes the rights of others from `folder` alone. That also closes all below it to them."""
    _tighten(folder, FOLDER_MODE)


def _tighten(path: Path, mode: int) -> None:
    try:
        found = path.lstat().st_mode
        if found & (_OTHERS | 0o100 & ~mode) and not path.is_symlink():
            path.chmod(mode)
    except FileNotFoundError:
        pass  # a derived file that was removed meanwhile
    except OSError as error:
        log.warning("other users may still read %s: %s", path, error)
