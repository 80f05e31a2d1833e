"""Values sealed for their places in a real store: at start, while brokers run, and after somebody tampered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.managed.sample_state import MARKER, VALUES, everything, load, sample, secrets_in

from openbrokerapi.managed.key_ring import KeyRing, KeysError, SealError, Unsealed, key_id
from openbrokerapi.managed.sealing import IMPORT_NOTE, KEYS_NOTE, Sealing, count_by_key, identity_of, reseal_all
from openbrokerapi.stores.contract import Change, Key, Store, View
from openbrokerapi.stores.location import open_location

A, B = bytes(range(32)), bytes(range(1, 33))
OLD, NEW = KeyRing({"a": A}), KeyRing({"b": B, "a": A})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "broker.db"


def on(path: Path, work: Callable[[Store], Awaitable[Any]]) -> Any:
    """Do something with the store at the path, in an event loop of its own."""

    async def done() -> Any:
        store = open_location(f"sqlite:///{path}", clock=time.time)
        await store.open()
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(done())


def filled(path: Path, ring: KeyRing | Unsealed, count: int = 3) -> None:
    async def fill(store: Store) -> None:
        await Sealing(ring).verify(store)
        await load(store, sample(ring, count))

    on(path, fill)


def refusal(path: Path, ring: KeyRing | Unsealed) -> str:
    with pytest.raises(KeysError) as caught:
        on(path, Sealing(ring).verify)
    assert "\n" not in caught.value.operator_message
    return caught.value.operator_message


# --- values ---


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_any_json_comes_back_as_it_was(value: Any) -> None:
    sealing = Sealing(OLD)
    assert sealing.open("binding", "answer", ("i", "b"), sealing.close("binding", "answer", ("i", "b"), value)) == value


def test_what_is_not_there_is_none() -> None:
    assert Sealing(OLD).open("binding", "answer", ("i", "b"), None) is None


@pytest.mark.parametrize(
    ("table", "column", "key"),
    [
        ("binding", "answer", ("i-1", "b-2")),
        ("binding", "answer", ("i-2", "b-1")),
        ("binding", "request", ("i-1", "b-1")),
        ("instance", "answer", ("i-1", "b-1")),
    ],
)
def test_a_value_opens_only_in_its_row_and_column(table: str, column: str, key: tuple[str, ...]) -> None:
    sealing = Sealing(OLD)
    sealed = sealing.close("binding", "answer", ("i-1", "b-1"), {"password": MARKER})
    with pytest.raises(SealError) as caught:
        sealing.open(table, column, key, sealed)
    assert f"{table}.{column} of {'/'.join(key)} cannot be opened" in str(caught.value)
    assert MARKER not in str(caught.value)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
places = st.tuples(texts, texts, st.lists(texts, max_size=3).map(tuple))


@given(places, places)
def test_two_places_have_two_identities(one: Any, other: Any) -> None:
    assert (identity_of(*one) == identity_of(*other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"), [(("i/1", "b"), ("i", "1/b")), (('i","b', ""), ("i", 'b",""')), (("", "ib"), ("i", "b"))]
)
def test_the_ids_of_a_key_cannot_run_into_one_another(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert identity_of("binding", "answer", one) != identity_of("binding", "answer", other)


# --- at start ---


def test_a_store_is_accepted_again_with_its_key(path: Path) -> None:
    filled(path, OLD)
    on(path, Sealing(KeyRing({"a": A})).verify)


def test_a_new_key_in_front_is_accepted_and_needed_from_then_on(path: Path) -> None:
    filled(path, OLD)
    on(path, Sealing(NEW).verify)
    assert "key 'b', which is not among" in refusal(path, OLD)
    assert "key 'a', which is not among" in refusal(path, KeyRing({"b": B}))


def test_a_missing_key_is_refused_with_its_id(path: Path) -> None:
    filled(path, OLD)
    said = refusal(path, KeyRing({"b": B, "c": A}))
    assert said.startswith("the store was written with key 'a', which is not among OPENBROKER_KEYS")
    assert "(there: b, c); add it" in said


def test_another_key_under_the_same_id_is_refused(path: Path) -> None:
    filled(path, OLD)
    assert "the key 'a' is not the one that the store was written with" in refusal(path, KeyRing({"a": B}))


def test_a_sealed_store_is_refused_without_keys(path: Path) -> None:
    filled(path, OLD)
    assert "written with key 'a', and no keys are given" in refusal(path, Unsealed())


def test_a_store_for_development_is_refused_with_keys_and_says_how_to_go_on(path: Path) -> None:
    filled(path, Unsealed())
    assert "openbroker keys rotate --from-development" in refusal(path, OLD)


def test_development_is_warned_about_at_every_start(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(path, Unsealed())
    on(path, Sealing(Unsealed()).verify)
    assert caplog.text.count("are kept unsealed in the store") == 2
    assert all(record.levelno == logging.WARNING for record in caplog.records if "unsealed" in record.message)


@pytest.mark.parametrize(("written", "given"), [(OLD, KeyRing({"b": B})), (OLD, Unsealed()), (Unsealed(), OLD)])
def test_a_store_that_lost_its_note_is_refused_all_the_same(path: Path, written: Any, given: Any) -> None:
    filled(path, written)
    planted(path, "DELETE FROM note")
    refusal(path, given)
    on(path, Sealing(written).verify)


def test_a_damaged_note_is_refused_with_a_sentence(path: Path) -> None:
    filled(path, OLD)
    planted(path, "UPDATE note SET value = x'7b'")
    assert "the note of the keys in the store is damaged" in refusal(path, OLD)


def test_a_store_with_half_an_import_is_refused(path: Path) -> None:
    on(path, lambda store: store.write_note(IMPORT_NOTE, b"1"))
    assert "an import into the store has not ended" in refusal(path, OLD)


def planted(path: Path, sql: str) -> None:
    # As somebody would who can write to the database, and has no key.
    connection = apsw.Connection(str(path))
    connection.execute(sql)
    assert connection.changes() > 0
    connection.close()


def test_a_value_that_was_moved_to_another_row_is_refused(path: Path) -> None:
    filled(path, OLD)
    planted(
        path,
        "UPDATE binding SET answer = (SELECT answer FROM binding WHERE instance_id = 'i-00001') "
        "WHERE instance_id = 'i-00000'",
    )
    with pytest.raises(SealError, match=r"binding.answer of i-00000/b/ü-1 cannot be opened: it was changed, or moved"):
        secrets_in(on(path, everything), OLD)


def test_a_plain_value_that_was_put_into_a_sealed_store_is_refused(path: Path) -> None:
    filled(path, OLD)
    planted(path, "UPDATE instance SET answer = x'007b7d' WHERE instance_id = 'i-00001'")
    with pytest.raises(SealError, match="not sealed"):
        secrets_in(on(path, everything), OLD)


# --- rotation ---


def test_everything_is_sealed_with_the_current_key_and_nothing_else_changes(path: Path) -> None:
    filled(path, OLD, count=7)
    before = on(path, everything)
    told: list[int] = []
    done = on(path, lambda store: reseal_all(store, NEW, batch=2, progress=told.append))
    after = on(path, everything)

    assert (done.rows, done.left, done.unopened) == (7 * 4, 0, ())
    assert told == sorted(told)
    assert told[-1] == 28
    assert on(path, count_by_key) == {"b": 7 * VALUES}
    assert secrets_in(after, KeyRing({"b": B})) == secrets_in(before, OLD)
    for table, rows in before.items():
        blank = dict.fromkeys(("request", "answer", "result"), None)
        for one, other in zip(rows, after[table], strict=True):
            kept = {name: value for name, value in msgspec.structs.asdict(one).items() if name not in blank}
            assert kept.items() <= msgspec.structs.asdict(other).items()


def test_the_old_key_can_be_taken_away_afterwards(path: Path) -> None:
    filled(path, OLD)
    on(path, lambda store: reseal_all(store, NEW))
    on(path, Sealing(KeyRing({"b": B})).verify)
    assert "key 'b', which is not among" in refusal(path, OLD)


def test_to_rotate_again_writes_nothing(path: Path) -> None:
    filled(path, OLD)
    on(path, lambda store: reseal_all(store, NEW))
    before = on(path, everything)
    assert on(path, lambda store: reseal_all(store, NEW)).rows == 0
    assert on(path, everything) == before


def test_a_ring_that_is_not_for_the_store_rotates_nothing(path: Path) -> None:
    filled(path, OLD)
    before = on(path, everything)
    for ring in (KeyRing({"b": B}), KeyRing({"b": B, "a": B})):
        with pytest.raises(KeysError):
            on(path, partial(reseal_all, ring=ring))
    assert on(path, everything) == before


def test_a_store_for_development_is_sealed_only_where_that_is_said(path: Path) -> None:
    filled(path, Unsealed())
    before = on(path, everything)
    with pytest.raises(KeysError, match="--from-development"):
        on(path, lambda store: reseal_all(store, NEW))
    assert on(path, everything) == before
    on(path, lambda store: reseal_all(store, NEW, from_development=True))
    on(path, Sealing(NEW).verify)
    assert on(path, count_by_key) == {"b": 3 * VALUES}
    assert secrets_in(on(path, everything), NEW) == secrets_in(before, Unsealed())


def test_a_value_that_cannot_be_opened_is_left_and_named_and_its_key_stays_needed(path: Path) -> None:
    filled(path, OLD)
    planted(path, "UPDATE instance SET answer = request WHERE instance_id = 'i-00001'")
    planted(path, "UPDATE binding SET answer = x'007b7d' WHERE instance_id = 'i-00002'")
    before = on(path, everything)
    done = on(path, lambda store: reseal_all(store, NEW))

    assert [(each.table, each.column, each.key) for each in done.unopened] == [
        ("instance", "answer", ("i-00001",)),
        ("binding", "answer", ("i-00002", "b/ü-1")),
    ]
    after = on(path, everything)
    assert after["instance"][1].answer == before["instance"][1].answer
    assert on(path, count_by_key) == {"b": 3 * VALUES - 2, "a": 1, None: 1}
    assert "key 'a', which is not among" in refusal(path, KeyRing({"b": B}))


async def rewritten(store: Store, ring: KeyRing, instance_id: str, number: int) -> None:
    """Write an instance as a broker does."""

    def decide(view: View) -> Change[None]:
        assert view.instance is not None
        sealed = Sealing(ring).close("instance", "request", (instance_id,), {"number": number})
        return Change(result=None, instance=msgspec.structs.replace(view.instance, request=sealed))

    await store.change(Key(instance_id), decide)


def test_what_a_broker_writes_between_two_batches_is_not_lost_and_is_visited_again(path: Path) -> None:
    filled(path, OLD, count=5)

    async def rotated_while_a_broker_writes(store: Store) -> Any:
        race = _Racing(store)
        return await reseal_all(race, NEW, batch=2)

    class _Racing:
        """Between the reading of a page and its writing, somebody with the old key writes one of its rows."""

        def __init__(self, store: Store) -> None:
            self._store = store
            self.numbers = iter(range(100, 104))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def reseal(self, table: str, replaced: Any) -> int:
            number = next(self.numbers, None) if table == "instance" else None
            if number is not None:
                await rewritten(self._store, OLD, replaced[0][0].instance_id, number)
            return await self._store.reseal(table, replaced)

    done = on(path, rotated_while_a_broker_writes)
    assert (done.left, done.unopened) == (0, ())
    assert on(path, count_by_key) == {"b": 5 * VALUES}
    state = on(path, everything)
    numbers = [value["number"] for value in secrets_in({**state, "binding": [], "operation": [], "step": []}, NEW)]
    # The first row of each page has what was written last, not what had been read before: in the first pass that is
    # rows 0, 2 and 4, in the second row 0 again. Each row has a request and an answer; the sample's is its number.
    assert numbers == [103, 0, 1, 1, 101, 2, 3, 3, 102, 4]


def test_a_broker_that_never_has_the_new_key_is_given_up_on(path: Path) -> None:
    filled(path, OLD, count=2)

    class _Stubborn:
        def __init__(self, store: Store) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def reseal(self, table: str, replaced: Any) -> int:
            done = await self._store.reseal(table, replaced)
            if table == "instance":
                await rewritten(self._store, OLD, "i-00001", 9)
            return done

    done = on(path, lambda store: reseal_all(_Stubborn(store), NEW))
    assert done.left == 1
    assert "key 'a', which is not among" in refusal(path, KeyRing({"b": B}))


def test_the_note_shows_nothing_and_says_which_keys_are_needed(path: Path) -> None:
    filled(path, OLD)
    on(path, Sealing(NEW).verify)
    note = on(path, lambda store: store.note(KEYS_NOTE))
    checks = msgspec.json.decode(note, type=dict[str, bytes])
    assert {name: key_id(value) for name, value in checks.items()} == {"a": "a", "b": "b"}
