"""The system tests in small; `python -m tests.system` runs them in full."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from tests.system import chaos, crash, kill, race
from tests.system.replicas import Stores

pytestmark = pytest.mark.slow


def test_what_a_killed_process_had_is_taken_up_and_nothing_is_lost_or_done_again(
    stores: Stores, tmp_path: Path
) -> None:
    result = kill.round_of(stores, tmp_path, count=60, concurrency=100, lease=3.0)
    assert result.violations == []
    assert result.succeeded == 60
    assert result.taken_up


def test_chaos_ends_every_operation_once_and_lets_no_two_of_an_instance_overlap(
    own_stores: Stores, tmp_path: Path
) -> None:
    result = chaos.run(own_stores, tmp_path, chaos.SMALL, seed=1)
    assert result.violations == []
    assert result.taken_up > 0


@pytest.mark.parametrize("fault", crash.FAULTS)
def test_the_state_table_holds_after_a_fault_at_a_call_of_the_store(stores: Stores, fault: str) -> None:
    passes = list(islice(crash.series(stores, fault, first=3, every=11), 3))
    assert [one.violations for one in passes] == [[], [], []]
    assert all(one.struck for one in passes[:2])


def test_of_sixteen_clients_at_once_one_is_first(stores: Stores, tmp_path: Path) -> None:
    results = race.run(stores, tmp_path, rounds=2)
    assert {result.name: result.violations for result in results} == {case.name: [] for case in race.CASES}
