"""Each set of instructions is used by its own functions only: what all sets share must run on any processor."""

import re
import shutil
import subprocess

import pytest

from storage.kernels.build import LIBRARY
from storage.kernels.library import has_kernels, library

pytestmark = [
    pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here"),
    pytest.mark.skipif(shutil.which("objdump") is None, reason="there is no objdump here (binutils)"),
]

_FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
_INSTRUCTION = re.compile(r"^ *[0-9a-f]+:\t(\S+)\s*(.*)$")
_WIDE = re.compile(r"%[yz]mm|%k[0-7]\b")


def test_wide_instructions_stay_in_their_own_functions() -> None:
    """A template that one set made and another uses would end the process on a processor without the former."""
    loaded = library()
    assert loaded is not None
    if loaded.hw_path().decode() not in ("avx512", "avx2"):
        pytest.skip("not a processor with sets of x86")
    command = ["objdump", "--disassemble", "--no-show-raw-insn", "--demangle", str(LIBRARY)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    function, wide = "", set[str]()
    for line in text.splitlines():
        if begins := _FUNCTION.match(line):
            function = begins[1]
        elif (found := _INSTRUCTION.match(line)) and (found[1].startswith("v") or _WIDE.search(found[2])):
            wide.add(function)
    assert any("avx512::" in name for name in wide)
    assert any("avx2::" in name for name in wide)
    assert not [name for name in wide if "avx512::" not in name and "avx2::" not in name]
