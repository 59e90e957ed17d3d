"""Of the messages that one connection begins and does not end, the server takes few at a time."""

import struct
from pathlib import Path

from headwater import Client
from server.app import MESSAGE_ROOM_BYTES
from server.lanes.arrivals import MAX_RECEIVING
from tests.support.http2 import ACK, DATA, PING, RESET, WINDOW_UPDATE, Connection, connected
from tests.support.server_process import running_server

CALLS = 3 * MAX_RECEIVING
MESSAGE_BYTES = 32 * 2**20
_CANCEL = struct.pack(">I", 8)


def begin_messages(connection: Connection) -> None:
    """Calls that send the first few bytes of a large message."""
    for number in range(CALLS):
        connection.begin(2 * number + 1, "/headwater.v1.Points/Upsert")
        connection.send(DATA, 0, 2 * number + 1, b"\0" + struct.pack(">I", MESSAGE_BYTES) + bytes(1_000))


def given_room(connection: Connection, calls: int) -> set[int]:
    """The calls that may send more than all may, once there are so many, and what came of it is here."""
    room: dict[int, int] = {}
    asked = False
    for frame in connection.frames():
        if frame.kind == WINDOW_UPDATE and frame.stream:
            room[frame.stream] = room.get(frame.stream, 0) + int.from_bytes(frame.body, "big")
        elif frame.kind == PING and frame.flags & ACK:
            break
        found = {stream for stream, size in room.items() if size > MESSAGE_ROOM_BYTES}
        if len(found) >= calls and not asked:
            connection.send(PING, 0, 0, bytes(8))
            asked = True
    return found


def test_few_messages_of_a_connection_are_received_at_a_time(tmp_path: Path) -> None:
    """The others wait until one has come or is given up; other connections notice nothing."""
    with running_server(tmp_path / "data") as address, connected(address, {}) as connection:
        begin_messages(connection)
        first = given_room(connection, MAX_RECEIVING)
        assert len(first) == MAX_RECEIVING
        with Client(address, options=[("grpc.use_local_subchannel_pool", 1)]) as client:
            assert client.collections.list() == []
        for stream in list(first)[:3]:
            connection.send(RESET, 0, stream, _CANCEL)
        assert len(given_room(connection, 3)) == 3
