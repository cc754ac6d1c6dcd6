"""Serve the built book on this machine alone.

python code/tools/serve.py            # http://localhost:8000
python code/tools/serve.py 8080
"""

from __future__ import annotations

import errno
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, always fresh, and reports only what went wrong."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: a page is dozens of requests."""


def make_server(port: int, folder: Path) -> ThreadingHTTPServer:
    """A server of one folder on localhost; port 0 takes any that is free."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(folder)))


def main(arguments: list[str]) -> int:
    """Serve until interrupted."""
    text = arguments[0] if arguments else "8000"
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        print(f"serve: a port is a number from 0 to 65535, not {text!r}.", file=sys.stderr)
        return 2
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        print("serve: there is no book in _build/html yet; `make book` builds it.", file=sys.stderr)
        return 1
    try:
        server = make_server(int(text), folder)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken" if taken else f"cannot be used ({error.strerror})"
        print(f"serve: port {text} {reason}; choose another one, as in `make serve PORT=8080`.", file=sys.stderr)
        return 1
    print(f"The book is at http://localhost:{server.server_port}/ (Ctrl-C ends).", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
