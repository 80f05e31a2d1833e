"""`work.retry(...).until(...)`: what is waited for may be out for a moment, but only so often in a row."""

from __future__ import annotations

from typing import Any

import pytest
from tests.managed.stage import Stage, Steered


class Remote:
    """Answers a look with the next of its answers, or raises it."""

    def __init__(self, *answers: Any) -> None:
        self.left = list(answers)

    def look(self) -> Any:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Plain(Steered):
    def __init__(self, remote: Remote, attempts: int) -> None:
        super().__init__()
        self.remote, self.attempts = remote, attempts

    def provision(self, instance: Any, work: Any) -> Any:
        work.retry(self.attempts, backoff=0.01, on=OSError).until("there", self.remote.look, every=0.01)


class Async(Plain):
    async def provision(self, instance: Any, work: Any) -> Any:
        await work.retry(self.attempts, backoff=0.01, on=OSError).until("there", self.remote.look, every=0.01)


@pytest.mark.parametrize("kind", [Plain, Async])
def test_it_may_be_out_so_often_in_a_row(stage: Stage, kind: type[Plain]) -> None:
    remote = Remote(OSError(), OSError(), None, OSError(), OSError(), "there", "not asked for")
    managed = stage(kind(remote, 3))

    assert managed.provision().status == 201
    assert remote.left == ["not asked for"]


@pytest.mark.parametrize("kind", [Plain, Async])
@pytest.mark.parametrize(("attempts", "answers"), [(3, [OSError()] * 3), (3, [KeyError()]), (1, [OSError()])])
def test_more_often_or_otherwise_it_may_not(stage: Stage, kind: type[Plain], attempts: int, answers: list[Any]) -> None:
    remote = Remote(*answers, "there")
    managed = stage(kind(remote, attempts))

    assert managed.provision().status == 500
    assert remote.left == ["there"]
