"""A wire to a server that can be cut at a moment of the test's choice."""

import asyncio
from typing import Self


class Wire:
    """Passes bytes on between a client and a server, until it sees a word that it waits for.

    Args:
        port: The server's, on 127.0.0.1.
        word: Cut the wire, once, when the client sends this.
        heard: Whether the server still hears it: then its answer is what is lost.
    """

    def __init__(self, port: int, word: bytes, *, heard: bool) -> None:
        self._port = port
        self._word = word
        self._heard = heard
        self.cuts = 0
        self.port = 0
        self._tasks: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes the sockets then

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        current = asyncio.current_task()
        assert current is not None
        self._tasks.add(current)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        back = asyncio.ensure_future(_pass_on(from_server, writer))
        self._tasks.add(back)
        try:
            await self._forward(reader, to_server, from_server, back)
        finally:
            for end in (writer, to_server):
                end.transport.abort()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        back: "asyncio.Task[None]",
    ) -> None:
        while data := await reader.read(65536):
            if self._word in data and not self.cuts:
                self.cuts += 1
                back.cancel()
                await asyncio.wait([back])
                if self._heard:
                    to_server.write(data)
                    await from_server.read(65536)
                return
            to_server.write(data)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
