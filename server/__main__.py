"""`python -m server`: reads the settings, serves until a signal, stops cleanly. It builds nothing itself."""

import gc
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

from server.config import Config, InvalidConfig, read_config

MATH_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
KERNELS_VARIABLE = "HEADWATER_KERNELS"  # processes that build indexes read it, too
GC_THRESHOLD = 20_000  # objects made and not freed between two collections of the youngest
STUCK_SECONDS = 15.0  # time after its grace in which a server must have ended, its writes committed
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

logger = logging.getLogger("server")


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 after a stop, 1 if the server cannot start, 2 if its settings are wrong."""
    try:
        config = read_config(arguments)
    except InvalidConfig as error:
        return _fail(str(error), code=2)
    sys.setswitchinterval(config.switch_interval)
    for variable in MATH_THREAD_VARIABLES:
        os.environ[variable] = str(config.math_threads)
    os.environ[KERNELS_VARIABLE] = config.kernels
    return _run(config, _signals())


def _run(config: Config, signals: int) -> int:
    gc.disable()  # until the server is ready: nothing that is made at start is garbage
    # Imported now: numpy's libraries read the variables above once, when they are loaded.
    from server.app import CannotStart, serve
    from server.background import tell_service_manager
    from server.rpc import configure_logs
    from storage.errors import EngineError
    from storage.files import escape_what_cannot_be_encoded, keep_private
    from storage.kernels import describe_kernels
    from storage.opening import raise_descriptor_limit

    escape_what_cannot_be_encoded()
    configure_logs(config.log_level, config.log_format)
    keep_private()
    raise_descriptor_limit()
    try:
        logger.info("searches run on %s", describe_kernels())
    except ValueError as error:
        return _fail(str(error), code=1)
    try:
        with _temporary(config.temporary_folder), _owned(config.owner), serve(config) as addresses:
            _tame_garbage_collector()
            if addresses.http is not None:
                print(f"headwater answers HTTP on {addresses.http}", flush=True)
            print(f"headwater ready on {addresses.grpc}", flush=True)
            tell_service_manager("READY=1")
            logger.info("stopping on %s", signal.Signals(os.read(signals, 1)[0]).name)
            tell_service_manager("STOPPING=1")
            _end_at_last(config.grace_seconds + STUCK_SECONDS)
    except (CannotStart, EngineError) as error:
        return _fail(str(error), code=1)
    logger.info("stopped")
    return 0


@contextmanager
def _temporary(folder: Path | None) -> Iterator[None]:
    """Removes `folder` and all in it at the end. Raises CannotStart if it is not empty at the start."""
    from server.app import CannotStart

    if folder is None:
        yield
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CannotStart(f"temporary_folder: {folder} is not empty, and all in it would be removed at the end")
    except OSError as error:
        raise CannotStart(f"temporary_folder: {folder}: {error.strerror}") from None
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _owned(owner: int | None) -> Iterator[None]:
    """Stops the server when its owner has ended."""
    from server.background import OwnerWatch

    if owner is None:
        yield
        return
    with closing(OwnerWatch(owner, lambda: os.kill(os.getpid(), signal.SIGTERM))):
        yield


def _end_at_last(seconds: float) -> None:
    """Ends the process after `seconds`, whatever is still running. Stored data is safe then."""

    def end() -> None:
        logger.error("something hangs; the process ends anyway")
        logging.shutdown()
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _tame_garbage_collector() -> None:
    """Keeps what was made at start out of every later collection, and collects less often: requests leave no cycles.

    Collects nothing before."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])


def _signals() -> int:
    """A file descriptor from which the number of the first stop signal can be read.

    The second signal ends the process.
    """
    # Any thread may get the signal and write its number. A lock would not do: only the main thread's wait is
    # interrupted.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)

    def stop(number: int, frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_DFL)

    for each in STOP_SIGNALS:
        signal.signal(each, stop)
    return reading


def _fail(message: str, code: int) -> int:
    print(f"headwater: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
