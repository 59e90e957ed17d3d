"""Packages of Node for clients in its language, installed once."""

import hashlib
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.root import ROOT

HERE = Path(__file__).parent
MODULES = ROOT / ".cache" / "node"
NODE, NPM = shutil.which("node"), shutil.which("npm")
has_node = pytest.mark.skipif(not (NODE and NPM), reason="there is no node or npm here")


@pytest.fixture(scope="module")
def modules() -> Path:
    """The installed packages of package-lock.json, kept between runs until that file changes."""
    folder = MODULES / hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    if not folder.exists():
        MODULES.mkdir(parents=True, exist_ok=True)
        # Installed aside and renamed: another test process may be doing the same.
        aside = Path(tempfile.mkdtemp(dir=MODULES))
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, aside)
        done = subprocess.run([str(NPM), "ci"], cwd=aside, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(aside)
            pytest.skip(f"npm could not install the packages: {done.stderr.strip()[-300:]}")
        with suppress(OSError):
            aside.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    return folder / "node_modules"
