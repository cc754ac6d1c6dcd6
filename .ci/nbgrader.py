"""nbgrader itself, on the sources of the homework: it has to make the releases that we make.

    NBGRADER/bin/python .ci/nbgrader.py        (in an environment of its own that holds nbgrader)

For every source: nbgrader generates the assignment; the code of each of its cells has to be that of our release. Then
nbgrader's validator reads our release.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HOMEWORK = Path(__file__).resolve().parents[1] / "homework"


def code_of(path: Path) -> dict[str, str]:
    """The text of every code cell by its grade_id, or its id."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {
        cell["metadata"].get("nbgrader", {}).get("grade_id", cell["id"]): "".join(cell["source"]).rstrip()
        for cell in cells
        if cell["cell_type"] == "code"
    }


def main() -> int:
    """Compare every homework; print a line for each, then how many passed."""
    passed = failed = 0
    program = Path(sys.executable).with_name("nbgrader")
    for source in sorted(HOMEWORK.glob("source/*/*.ipynb")):
        name = source.stem
        with tempfile.TemporaryDirectory() as course:
            shutil.copytree(source.parent, Path(course, "source", name))
            path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"  # it calls alembic by that name
            environment = os.environ | {"PATH": path, "JUPYTER_PREFER_ENV_PATH": "1", "HOME": course}
            done = subprocess.run(
                [program, "generate_assignment", name, "--create", f"--CourseDirectory.root={course}"],
                capture_output=True,
                text=True,
                env=environment,
                check=False,
            )
            theirs = Path(course, "release", name, f"{name}.ipynb")
            if done.returncode or not theirs.is_file():
                problem = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
                print(f"{name}: nbgrader does not make a release: {problem[0]}")
                failed += 1
                continue
            one, other = code_of(theirs), code_of(HOMEWORK / "release" / name / f"{name}.ipynb")
            different = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
            if different:
                print(f"{name}: nbgrader's release differs from ours in {', '.join(sorted(different))}")
                failed += 1
            else:
                print(f"{name}: nbgrader makes the same release ({len(one)} code cells)")
                passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
