"""A Python of its own for the python blocks of one page: they share a namespace, and nothing with the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# It answers each block with the traceback, or with nothing. What the block prints goes to where errors go.
_DRIVER = """
import json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
sys.path.insert(0, os.getcwd())
names = {"__name__": "__page__"}
for line in sys.stdin:
    block = json.loads(line)
    try:
        exec(compile("\\n" * block["line"] + block["text"], block["place"], "exec"), names)
        failure = ""
    except BaseException:
        failure = traceback.format_exc()
    print(json.dumps(failure), file=answers, flush=True)
"""


class Namespace:
    """Runs python blocks one after the other. Warnings are errors."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._errors = (folder.parent / f"{folder.name}-python-output").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=folder,
            env=dict(variables),
            text=True,
        )

    def run(self, text: str, place: str, line: int) -> str:
        """Run a block; give the traceback of what went wrong, or nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"text": text, "place": place, "line": line}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if answer:
            failure: str = json.loads(answer)
            return failure
        self._errors.seek(0)
        return f"Python ended:\n{self._errors.read()}"

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()
