"""A small file server with the manners and the faults of real ones."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it serves, how it misbehaves, and what it was asked."""

    address: str = ""
    body: bytes = b""
    ranges: bool = True
    tag: str | None = '"first"'
    send_length: bool = True
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    hub_sha256: str | None = None
    hub_commit: str | None = None
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(head=True)

        def do_GET(self) -> None:
            self._answer(head=False)

        def _answer(self, head: bool) -> None:
            wanted = self.headers.get("Range")
            server.asked.append((self.command, self.path, wanted))
            status = server.statuses.pop(0) if server.statuses else 200
            if status != 200:
                self.send_response(status)
                self.end_headers()
                return
            if "/resolve/" in self.path:
                self._redirect()
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
            if start and self.headers.get("If-Range") not in (None, server.tag):
                start = 0
            if start >= len(server.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.body)}")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/{len(server.body)}")
            if server.tag:
                self.send_header("ETag", server.tag)
            if server.send_length:
                self.send_header("Content-Length", str(len(server.body) - start))
            self.end_headers()
            end = start + server.cut_after.pop(0) if server.cut_after else len(server.body)
            if not head:
                with suppress(ConnectionError):  # the other side may stop
                    self.wfile.write(server.body[start:end])

        def _redirect(self) -> None:
            self.send_response(302)
            # as hubs do: the storage is another host, so its address must not be asked for the hash
            self.send_header("Location", server.address.replace("127.0.0.1", "localhost") + "/storage/file")
            if server.hub_sha256:
                self.send_header("X-Linked-ETag", f'"{server.hub_sha256}"')
                self.send_header("X-Linked-Size", str(len(server.body)))
            if server.hub_commit:
                self.send_header("X-Repo-Commit", server.hub_commit)
            self.end_headers()

    return Handler


@contextmanager
def serving() -> Iterator[FileServer]:
    """The server, until the end of the block."""
    state = FileServer(body=bytes(range(256)) * 12_000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
