"""Builds the kernels into a wheel of the server, and says for which system it is. Without a compiler it is for all."""

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PORTABLE = ("-static-libstdc++", "-static-libgcc")  # the C++ library of another machine may be older


class KernelsBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """See hatchling's interface."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds both libraries beside their sources, and names the wheel after the system that they run on."""
        root = Path(self.root)
        if version == "editable":
            return
        builder = _module(root / "storage" / "kernels" / "build.py")
        libraries = [root / "storage" / "kernels" / "kernels.so", root / "server" / "wire" / "wire.so"]
        if builder.compiler() is None:
            self.app.display_warning("No C++ compiler (g++): the wheel has no kernels, and searches take longer")
        else:
            for library in libraries:
                builder.build(library, PORTABLE, source=library.parent / "source")
        if any(library.exists() for library in libraries):
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def _module(path: Path) -> Any:
    """The module in a file, without the packages around it, which need numpy."""
    spec = importlib.util.spec_from_file_location("kernels_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
