"""An S3 for tests: moto's, over real HTTP, one request at a time. `python -m tests.s3_server PORT`

S3 promises that a request is done or not done; moto looks first and writes later, so that two of its threads could both
find a name free. One request at a time gives its answers that promise; the requests of many clients still interleave.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple


def one_at_a_time(application: Any) -> Any:
    turn = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with turn:
            return list(application(environ, start_response))

    return answer


if __name__ == "__main__":
    run_simple(
        "127.0.0.1", int(sys.argv[1]), one_at_a_time(DomainDispatcherApplication(create_backend_app)), threaded=True
    )
