"""The program inside the sandbox: runs a student's cells and calls their functions, on demand.

It runs as a script of its own (`python -I -S worker.py FOLDERS`), with NumPy and the standard library in reach and
nothing else. It reads lines written by `session` from its standard input and answers on its standard output. Nothing
that is known in here is worth forging: no expected answer ever enters this process.
"""

import __future__

import builtins
import io
import os
import sys
import traceback
import types


def bounded() -> None:
    """Put the limits on this process that its children will share (where the system has such limits)."""
    try:
        import resource
    except ImportError:
        return
    for name, value in (
        ("RLIMIT_NPROC", 32),
        ("RLIMIT_FSIZE", 1 << 16),
        ("RLIMIT_NOFILE", 64),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_MSGQUEUE", 0),
        ("RLIMIT_SIGPENDING", 256),  # timers, too, each of which the kernel remembers
        ("RLIMIT_AS", 3 << 30),
    ):
        kind = getattr(resource, name, None)
        if kind is None or (name == "RLIMIT_NPROC" and "--sandboxed" not in sys.argv):
            continue  # outside a sandbox the limit would count every process of the student's desktop
        try:
            hard = resource.getrlimit(kind)[1]
            least = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (least, least))
        except (ValueError, OSError):
            continue


def told(error: BaseException) -> str:
    """An exception in one line: its type, its message, and the line of the student's cell that it came from."""
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:
        text = type(error).__name__
    if isinstance(error, NotImplementedError):
        return "not written yet"
    where = ""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith("<cell ")]
    # The student's own line says more than the line of a given function that it called.
    theirs = [one for one in frames if not one.filename.startswith("<cell given-")] or frames
    if theirs:
        where = f" (cell {theirs[-1].filename[6:-1]}, line {theirs[-1].lineno})"
    return (" ".join(text.split())[:400] or type(error).__name__) + where


def without_magics(code: str) -> str:
    """A cell without the lines that only a notebook understands (`%matplotlib inline`, `!pip install …`, `name?`)."""

    def plain(line: str) -> str:
        text = line.strip()
        foreign = text.startswith(("%", "!", "?")) or (text.endswith("?") and not text.startswith("#"))
        return line[: len(line) - len(line.lstrip())] + "pass" if foreign else line

    return "\n".join(plain(line) for line in code.split("\n")) + "\n"


class Quiet:
    """Stands for what a notebook has beyond Python, `display` and `get_ipython()`: takes everything, does nothing."""

    def __call__(self, *arguments: object, **named: object) -> "Quiet":
        return self

    def __getattr__(self, name: str) -> "Quiet":
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def execute(name: str, code: str, namespace: dict) -> str | None:
    """Run a cell; return what went wrong, or None."""
    filename = f"<cell {name}>"
    flags = 0  # in a notebook, `from __future__ import annotations` holds for the cells that follow, too
    if namespace.get("annotations") is __future__.annotations:
        flags = __future__.annotations.compiler_flag
    try:
        try:
            program = compile(code, filename, "exec", flags, dont_inherit=True)
        except SyntaxError:
            program = compile(without_magics(code), filename, "exec", flags, dont_inherit=True)
        exec(program, namespace)  # a student's code, in a process of its own
    except BaseException as error:
        return told(error)
    return None


def resolved(value: object, namespace: dict, kept: dict) -> object:
    """An argument with the functions and the kept answers that it names."""
    if isinstance(value, values.Given):
        return namespace[value.name]
    if isinstance(value, values.Kept):
        return kept[value.name]
    if type(value) in (list, tuple):
        return type(value)(resolved(item, namespace, kept) for item in value)
    if type(value) is dict:
        return {key: resolved(item, namespace, kept) for key, item in value.items()}
    return value


def answer(request: dict, namespace: dict, kept: dict) -> dict:
    """Do what one line asks for."""
    if request["do"] == "run":
        errors = {}
        for name, code in request["cells"]:
            problem = execute(name, code, namespace)
            if problem:
                errors[name] = problem
        return {"errors": errors}
    if request["do"] == "public":
        return {"problem": execute(request["name"], request["code"], dict(namespace))}  # its names are its own
    try:
        function = namespace.get(request["function"])
        if not callable(function):
            return {"error": f"there is no function {request['function']}"}
        arguments = resolved(values.decode(request["arguments"]), namespace, kept)
        result = function(*arguments)
        if request.get("keep"):
            names = request["keep"]
            parts = (result,) if len(names) == 1 else tuple(result)
            if len(parts) != len(names):
                return {"error": f"{request['function']} returned {len(parts)} values, not {len(names)}"}
            shown = []
            for name, part in zip(names, parts, strict=True):
                if name:
                    kept[name] = part
                else:
                    shown.append(part)
            result = tuple(shown)
        return {"value": values.encode(result)}
    except BaseException as error:
        return {"error": told(error)}


def main() -> None:
    """Answer every line of the standard input."""
    bounded()
    lines, out = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # what a student prints or asks for goes nowhere
        os.dup2(nothing, stream)
    sys.stdin, sys.stdout = io.StringIO(), open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  for good
    # Dataclasses, type hints and pickle look a class up in the module that it names: the notebook is `__main__`.
    sys.modules["__main__"] = types.ModuleType("__main__")
    namespace = vars(sys.modules["__main__"])
    namespace.update({"__builtins__": builtins, "display": Quiet(), "get_ipython": Quiet()})
    kept: dict = {}
    for line in lines:
        request = values.loads(line)
        reply = values.dumps({"id": request["id"], **answer(request, namespace, kept)})
        while reply:
            reply = reply[os.write(out, reply) :]


if __name__ == "__main__":
    sys.path += sys.argv[1].split(os.pathsep)  # NumPy's folder, and this file's for `values`
    import values

    main()
