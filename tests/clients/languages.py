"""The clients of other languages: which programs their tests need, and the commands that run them."""

import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """One client: its folder below client/, the programs that it needs, and the commands, run in the folder."""

    folder: str
    needs: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]

    def missing(self) -> list[str]:
        """The programs that this machine lacks."""
        return [program for program in self.needs if shutil.which(program) is None]


LANGUAGES = {
    "go": Language("go", ("go",), (("go", "vet", "./..."), ("go", "test", "./..."))),
    "java": Language("java", ("java", "mvn"), (("mvn", "-q", "-B", "test"),)),
    "typescript": Language("typescript", ("node", "npm"), (("npm", "ci", "--silent"), ("npm", "test", "--silent"))),
    "rust": Language("rust", ("cargo",), (("cargo", "test", "--quiet"),)),
    "cpp": Language(
        "cpp",
        ("cmake", "g++", "protoc", "grpc_cpp_plugin"),
        (
            ("cmake", "-S", ".", "-B", "build"),
            ("cmake", "--build", "build", "--parallel", "2"),
            ("ctest", "--test-dir", "build", "--output-on-failure"),
        ),
    ),
}
