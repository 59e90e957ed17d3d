"""What makes a folder a data directory: its FORMAT file, and a catalog beside its collections. Opens nothing."""

from pathlib import Path

from storage.errors import CorruptStore, UnknownFormat
from storage.files.durable import publish

FORMAT_VERSION = 1  # persisted: do not renumber
_FORMAT_LINE = "headwater data directory, format "


def is_data_directory(path: Path) -> bool:
    return (path / "FORMAT").exists()


def mark_directory(path: Path) -> None:
    """Makes the folder `path` an empty data directory. Raises CorruptStore when it holds files of one."""
    if (path / "catalog").exists():
        raise CorruptStore(path / "FORMAT", 0, "the file is missing")
    temporary = path / "FORMAT.new"
    temporary.write_text(f"{_FORMAT_LINE}{FORMAT_VERSION}\n")
    publish(temporary, path / "FORMAT")


def check_directory(path: Path) -> None:
    """Raises UnknownFormat or CorruptStore unless this program may open the data directory.

    A missing catalog is an error: every collection would look like the rest of a crash, and would be removed.
    """
    file = path / "FORMAT"
    if not file.exists():
        raise CorruptStore(file, 0, "the file is missing")
    text = file.read_text(errors="replace").strip()
    version = text.removeprefix(_FORMAT_LINE)
    if not text.startswith(_FORMAT_LINE) or not (version.isascii() and version.isdecimal()) or int(version) < 1:
        raise CorruptStore(file, 0, "it does not name a format")
    if int(version) > FORMAT_VERSION:
        raise UnknownFormat(str(path), found=int(version), known=FORMAT_VERSION)
    catalog = path / "catalog" / "data.mdb"
    lost = not catalog.exists() or catalog.stat().st_size == 0
    if lost and any(file for folder in ("collections", "snapshots") for file in (path / folder).glob("*")):
        raise CorruptStore(catalog, 0, "the catalog is missing, but there are collections or snapshots")
