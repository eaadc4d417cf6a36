"""clients_test.py URL HELLO_FILE: Python's websockets against a host; see clients_test.mjs."""

import asyncio
import pathlib
import sys

import websockets

URL, HELLO = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()


async def main() -> None:
    async with websockets.connect(URL, subprotocols=["ringside.v1"]) as socket:
        assert socket.subprotocol == "ringside.v1"
        await socket.send(HELLO)
        welcome = await socket.recv()
        assert int.from_bytes(welcome[:4], "little") == len(welcome) - 4
        await (await socket.ping(b"are you there"))
        await socket.send([HELLO[:5], HELLO[5:]])  # fragments; and Hello comes once
        error = await socket.recv()
        assert b"Hello comes first, and once" in error
        try:
            await socket.recv()
            raise AssertionError("the host did not close")
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 4003, closed
    async with websockets.connect(URL, subprotocols=["ringside.v1"]) as socket:
        await socket.send("text")
        try:
            await socket.recv()
            raise AssertionError("the host did not close")
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 1003, closed
    try:
        async with websockets.connect(URL, subprotocols=["ringside.v1"], origin="null"):
            raise AssertionError("a page of no origin was let in")
    except websockets.InvalidStatusCode as refused:
        assert refused.status_code == 403, refused


asyncio.run(main())
