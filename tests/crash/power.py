"""A model of power loss: what a disk may hold at any moment, made from the log of all calls that changed files.

It is strict. A name is durable once its folder was synced, bytes are once their file was; of what was not synced any
part may be there: none, all, or some pages. Owns no process and no judgement on what it makes.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from random import Random

PAGE_BYTES = 4096
Image = dict[str, bytes | None]
"""Bytes of files by path; None for a folder."""

_ENTRY = struct.Struct("<IIIIQQQQ")  # see `struct entry` in places.c


@dataclass(frozen=True)
class Call:
    """One call of the log. `kind`: W wrote, T cut or lengthened, S synced a file, D synced a folder, C created,
    M made a folder, R renamed to `other`, U removed a name, A the process said `path`."""

    kind: str
    path: str
    other: str
    offset: int
    size: int
    data: bytes
    synced: bool


def read_log(path: Path) -> Iterator[Call]:
    data = memoryview(path.read_bytes())
    at = 0
    while at < len(data):
        kind, path_bytes, other_bytes, synced, _, offset, size, length = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        texts = []
        for count in (path_bytes, other_bytes):
            texts.append(bytes(data[at : at + count]).decode())
            at += count
        yield Call(chr(kind), texts[0], texts[1], offset, size, bytes(data[at : at + length]), bool(synced))
        at += length


@dataclass(eq=False)
class File:
    """`durable` bytes, those that the process sees, and the calls that made these of those."""

    durable: bytearray = field(default_factory=bytearray)
    now: bytearray = field(default_factory=bytearray)
    pending: list[Call] = field(default_factory=list)

    def torn(self, random: Random) -> bytes:
        """The durable bytes with some of the pages that were written since."""
        out = bytearray(self.durable)
        for call in self.pending:
            if call.kind == "T":
                if random.random() < 0.5:
                    _resize(out, call.size)
                continue
            at = call.offset
            while at < call.offset + len(call.data):
                end = min((at // PAGE_BYTES + 1) * PAGE_BYTES, call.offset + len(call.data))
                if random.random() < 0.5:
                    _patch(out, at, call.data[at - call.offset : end - call.offset])
                at = end
        return bytes(out)


@dataclass(eq=False)
class Folder:
    durable: "dict[str, Node]" = field(default_factory=dict)
    now: "dict[str, Node]" = field(default_factory=dict)


Node = File | Folder


class Disk:
    """The files below a folder, of which all that is there at first is durable."""

    def __init__(self, root: Path) -> None:
        self._root = PurePath(root)
        self._top = _loaded(root)

    def apply(self, call: Call) -> None:
        """Follows one call. Files that appear without one were made by another process: their sync shows them."""
        match call.kind:
            case "C":
                self._folder(call.path).now[PurePath(call.path).name] = File()
            case "M":
                self._folder(call.path).now[PurePath(call.path).name] = Folder()
            case "U":
                self._folder(call.path).now.pop(PurePath(call.path).name, None)
            case "R":
                node = self._folder(call.path).now.pop(PurePath(call.path).name, None) or File()
                self._folder(call.other).now[PurePath(call.other).name] = node
            case "D":
                folder = self._at(call.path)
                assert isinstance(folder, Folder)
                names = [each.split(b" ", 1)[1].decode() for each in call.data.split(b"\0") if each]
                folder.now = {name: folder.now.get(name) or File() for name in names}
                folder.durable = dict(folder.now)
            case "W" | "T" | "S" if not call.path.endswith(" (deleted)"):
                self._change(self._file(call.path), call)

    def _change(self, file: File, call: Call) -> None:
        if call.kind == "S":
            file.durable, file.now, file.pending = bytearray(call.data), bytearray(call.data), []
            return
        if call.kind == "T":
            _resize(file.now, call.size)
        else:
            _patch(file.now, call.offset, call.data)
        if call.synced:
            _patch(file.durable, call.offset, call.data)
        else:
            file.pending.append(call)

    def image(self, names: str, content: str, random: Random) -> Image:
        """What a power loss may leave.

        `names`: `durable`, `now`, or `torn`: each folder is as it is or as it was. `content`: the same for each file,
        page by page.
        """
        out: Image = {}

        def collect(folder: Folder, prefix: str) -> None:
            chosen = random.choice(("durable", "now")) if names == "torn" else names
            for name, node in sorted((folder.durable if chosen == "durable" else folder.now).items()):
                if isinstance(node, Folder):
                    out[f"{prefix}{name}"] = None
                    collect(node, f"{prefix}{name}/")
                elif content == "torn":
                    out[f"{prefix}{name}"] = node.torn(random)
                else:
                    out[f"{prefix}{name}"] = bytes(node.durable if content == "durable" else node.now)

        collect(self._top, "")
        return out

    def _at(self, path: str) -> Node:
        node: Node = self._top
        for name in PurePath(path).relative_to(self._root).parts:
            assert isinstance(node, Folder), path
            node = node.now[name]
        return node

    def _folder(self, path: str) -> Folder:
        folder = self._at(str(PurePath(path).parent))
        assert isinstance(folder, Folder)
        return folder

    def _file(self, path: str) -> File:
        file = self._folder(path).now.setdefault(PurePath(path).name, File())
        assert isinstance(file, File)
        return file


def write_image(image: Image, folder: Path) -> None:
    folder.mkdir()
    for name, content in image.items():
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)


VARIANTS: Sequence[tuple[str, str]] = (
    ("durable", "durable"),
    ("now", "durable"),
    ("durable", "now"),
    ("now", "torn"),
    ("torn", "torn"),
)
"""Names and content of the images of each moment. `now` for both is what a kill leaves, which has tests of its own."""


def _loaded(path: Path) -> Folder:
    nodes: dict[str, Node] = {}
    for each in path.iterdir():
        content = bytearray() if each.is_dir() else bytearray(each.read_bytes())
        nodes[each.name] = _loaded(each) if each.is_dir() else File(content, bytearray(content))
    return Folder(dict(nodes), dict(nodes))


def _resize(data: bytearray, size: int) -> None:
    if size < len(data):
        del data[size:]
    else:
        data.extend(bytes(size - len(data)))


def _patch(data: bytearray, at: int, part: bytes) -> None:
    _resize(data, max(len(data), at + len(part)))
    data[at : at + len(part)] = part
