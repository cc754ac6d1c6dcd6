"""Show that requirements.txt resolves to wheels alone, on every Python that the project supports.

    python code/tools/resolve_check.py                    # 3.11 to 3.14
    python code/tools/resolve_check.py 3.13 3.14.1        # some of them

pip plays the resolution through for a Python that need not be installed here. Nothing is installed. For "3.11" pip
takes 3.11.0, so that a pin which wants a later patch release is found as well.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def without_editable(text: str) -> str:
    """The requirements without the project itself, which pip cannot take for another Python."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(("-e", "--editable"))) + "\n"


def resolve(version: str, requirements: str) -> tuple[int, str]:
    """Resolve for one version of Python; return the number of packages (0 for a failure) and pip's last words."""
    with tempfile.TemporaryDirectory(prefix="unrolled-resolve-") as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text(requirements, encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-input"),
            *("--disable-pip-version-check", "--progress-bar", "off", "--target", str(Path(folder, "target"))),
            *("--python-version", version, "--only-binary=:all:", "-r", str(listed)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    match = re.search(r"^Would install (.+)$", done.stdout, re.MULTILINE)
    if done.returncode == 0 and match:
        return len(match.group(1).split()), ""
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    return 0, (errors[-1] if errors else done.stderr.strip()[-400:])


def main(versions: list[str]) -> int:
    """Print one line a version; return 0 when every one resolved."""
    requirements = without_editable((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    failed = 0
    for version in versions or VERSIONS:
        packages, reason = resolve(version, requirements)
        failed += not packages
        print(f"Python {version}: " + (f"{packages} wheels" if packages else f"does not resolve; {reason}"), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
