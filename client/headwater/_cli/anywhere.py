"""Lets the options of the program stand after the command as well: `headwater collections --json`. There they win."""

import copy
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from headwater._cli.connection import Connection
from headwater._cli.program import Shared

_OF_CONNECTION = frozenset(each.name for each in fields(Connection))
_EPILOG = "Options of headwater may stand here too: --address, --local, --profile, --timeout and so on."


def take_everywhere(program: Any) -> Any:
    """`program`, a group of click, with its options added to all commands below it."""
    options = [each for each in program.params if each.name in _OF_CONNECTION | {"json", "profile"}]
    for command in _below(program):
        command.params = [*command.params, *map(_after_the_command, options)]
        command.epilog = command.epilog or _EPILOG
    return program


def _below(group: Any) -> Iterator[Any]:
    for command in group.commands.values():
        yield command
        if hasattr(command, "commands"):
            yield from _below(command)


def _after_the_command(option: Any) -> Any:
    """The option without its variable and default, since these count where it stands before the command."""
    found = copy.copy(option)
    found.envvar, found.default, found.required = None, None, False
    found.expose_value, found.hidden = False, option.name != "json"
    found.callback = _take
    return found


def _take(context: Any, option: Any, value: Any) -> Any:
    about = context.obj
    if value is None or not isinstance(about, Shared):  # it has none while a shell completes a word
        return value
    if option.name == "json":
        about = replace(about, json=about.json or value)
    elif option.name == "profile":
        about = replace(about, profile=value)
    else:
        about = replace(about, connection=about.connection.with_value(option.name, value))
    context.obj = about
    return value
