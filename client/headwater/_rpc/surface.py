"""Methods are written once, as coroutines, and have two surfaces: blocking and awaited. Knows no RPC.

A coroutine over a blocking transport never suspends, so it runs to its end in one step: `run_blocking` does that step.
The descriptor `remote` chooses the surface by the class of its object, and tells it to type checkers: on a
`BlockingNamespace` a method returns its result, on an `AsyncNamespace` a coroutine.
"""

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from headwater._plain import Arguments, explained
from headwater._rpc.calls import Calls
from headwater.errors import PointNotFoundError

P = ParamSpec("P")
T = TypeVar("T")


class Namespace:
    """A group of methods over the RPCs of one connection."""

    __slots__ = ("_calls",)

    def __init__(self, calls: Calls) -> None:
        self._calls = calls


class BlockingNamespace(Namespace):
    """Its `remote` methods block until the result is there."""

    __slots__ = ()


class AsyncNamespace(Namespace):
    """Its `remote` methods are coroutines."""

    __slots__ = ()


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    coroutine.close()
    raise RuntimeError("a blocking call tried to wait for an event loop")


class remote(Generic[P, T]):  # noqa: N801  (a decorator)
    """Decorates a coroutine method. It blocks or is awaited, and its arguments are converted by their type hints."""

    def __init__(self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> None:
        arguments = Arguments(function)

        @functools.wraps(function)
        async def awaited(namespace: Namespace, *args: P.args, **kwargs: P.kwargs) -> T:
            given, named = arguments(args, kwargs)
            try:
                return await function(namespace, *given, **named)
            except PointNotFoundError as error:
                raise explained(error, arguments.by_name(given, named)) from error

        @functools.wraps(function)
        def blocking(namespace: Namespace, *args: P.args, **kwargs: P.kwargs) -> T:
            given, named = arguments(args, kwargs)
            try:
                return run_blocking(function(namespace, *given, **named))
            except PointNotFoundError as error:
                raise explained(error, arguments.by_name(given, named)) from error

        self.arguments = arguments
        self._coroutine = awaited
        self._blocking = blocking

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, instance: BlockingNamespace, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: AsyncNamespace, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: Namespace | None, owner: type) -> Any:
        function = self._coroutine if issubclass(owner, AsyncNamespace) else self._blocking
        return function if instance is None else MethodType(function, instance)


class remote_items(Generic[P, T]):  # noqa: N801  (a decorator)
    """Decorates an async generator method. On a `BlockingNamespace` it is a plain generator."""

    def __init__(self, function: Callable[Concatenate[Any, P], AsyncGenerator[T, None]]) -> None:
        arguments = Arguments(function)

        @functools.wraps(function)
        def awaited(namespace: Namespace, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
            given, named = arguments(args, kwargs)
            # No generator around it: an event loop that ends would close both at once, beside each other.
            return function(namespace, *given, **named)

        @functools.wraps(function)
        def blocking(namespace: Namespace, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
            given, named = arguments(args, kwargs)
            items = function(namespace, *given, **named)
            try:
                while True:
                    try:
                        item = run_blocking(_next_of(items))
                    except StopAsyncIteration:
                        return
                    yield item
            finally:
                run_blocking(items.aclose())

        self._generator = awaited
        self._blocking = blocking

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, instance: BlockingNamespace, owner: type) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, instance: AsyncNamespace, owner: type) -> Callable[P, AsyncGenerator[T, None]]: ...
    def __get__(self, instance: Namespace | None, owner: type) -> Any:
        function = self._generator if issubclass(owner, AsyncNamespace) else self._blocking
        return function if instance is None else MethodType(function, instance)


async def _next_of(items: AsyncGenerator[T, None]) -> T:
    return await anext(items)
