"""A local server that speaks chat completions, and misbehaves as a test asks it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What the server does with one request: waits, answers with a status, headers and bytes, maybe only half."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    promise: int = 0  # bytes that are announced beyond those that come


@dataclass
class ChatServer:
    """Gives its replies in turn, the last one for ever; keeps what was asked."""

    url: str = ""
    replies: list[Reply | Callable[[dict[str, Any]], Reply]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def content(answer: object, **choice: Any) -> Reply:
    """A whole answer of the protocol whose content is `answer` as JSON (or as it is, where it is text)."""
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    body = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop", **choice}]}
    return Reply(body=json.dumps(body).encode())


def rewording(change: Callable[[str, str], str]) -> Callable[[dict[str, Any]], Reply]:
    """A model that answers each line with `change(scene, text)`."""

    def reply(asked: dict[str, Any]) -> Reply:
        lines = json.loads(asked["messages"][-1]["content"])["lines"]
        return content(
            {"lines": [{"scene": line["scene"], "text": change(line["scene"], line["text"])} for line in lines]}
        )

    return reply


@contextmanager
def chat_server(*replies: Reply | Callable[[dict[str, Any]], Reply]) -> Iterator[ChatServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    state = ChatServer(replies=list(replies))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(asked | {"path": self.path})
            state.keys.append(self.headers.get("Authorization", ""))
            given = state.replies[min(len(state.asked), len(state.replies)) - 1]
            reply = given(asked) if callable(given) else given
            time.sleep(reply.wait)
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) + reply.promise))
                self.end_headers()
                self.wfile.write(reply.body)
            except OSError:
                pass  # the client did not wait

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
