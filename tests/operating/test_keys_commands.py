"""`openbroker keys`: on real stores, beside processes that write."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.managed.sample_state import (
    MARKER,
    VALUES,
    everything,
    load,
    sample,
    secrets_in,
)
from tests.operating.commands import LIMIT, ROOT, environment, on, refused, run, said
from tests.operating.conftest import filled, keys_file

from openbrokerapi.managed.key_ring import KeyRing, Unsealed
from openbrokerapi.managed.sealing import Sealing, count_by_key
from openbrokerapi.stores.contract import Store


def key_texts(path: Path) -> list[str]:
    return [line.partition(":")[2] for line in path.read_text().splitlines()]


def test_a_new_key_is_one_line_that_makes_a_ring(tmp_path: Path) -> None:
    lines = [run(tmp_path, "keys", "new").stdout.decode() for _ in range(2)]
    assert lines[0] != lines[1]
    assert all(line.count("\n") == 1 for line in lines)
    assert len(KeyRing.from_text("".join(lines)).ids) == 2


def test_all_is_sealed_with_the_new_key_and_the_old_one_can_go(url: str, keys: Path, tmp_path: Path) -> None:
    filled(url, KeyRing.from_file(keys), count=5)
    before = on(url, everything)
    old = KeyRing.from_file(keys)
    keys_file(keys, "new")

    done = run(tmp_path, "keys", "rotate", "--store", url, "--keys-file", str(keys))

    assert done.stdout.decode() == "Sealed 20 rows again, with key 'new'.\n"
    only_new = KeyRing.from_text(keys.read_text().splitlines()[0])
    on(url, Sealing(only_new).verify)
    assert secrets_in(on(url, everything), only_new) == secrets_in(before, old)
    output = done.stdout.decode() + done.stderr.decode()
    assert not [secret for secret in [MARKER, *key_texts(keys)] if secret in output]


# A broker as far as keys go: it owns the store, and writes with the keys of the file until its standard input ends.
_WRITER = """
import asyncio, sys, threading, time
import msgspec
from openbrokerapi.managed.key_ring import KeyRing
from openbrokerapi.managed.sealing import Sealing
from openbrokerapi.stores.contract import Change, Key
from openbrokerapi.stores.location import open_location
from tests.managed.sample_state import sample

url, keys = sys.argv[1:]
sealing = Sealing(ring := KeyRing.from_file(keys))
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()

async def main():
    store = open_location(url, clock=time.time)
    await store.open()
    await sealing.verify(store)
    number = 0
    while not ended.is_set():
        name = f"i-{number % 40:05}"
        rows = sample(ring, 1, number % 40)
        request = sealing.close("instance", "request", (name,), {"number": number})
        row = msgspec.structs.replace(rows["instance"][0], request=request)
        await store.change(Key(name), lambda view: Change(result=None, instance=row))
        row = await store.instance(name)
        assert sealing.open("instance", "request", (name,), row.request) == {"number": number}
        number += 1
        if number == 80:
            print("writes", flush=True)
    await store.close()
    print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_broker_that_writes_meanwhile_goes_on_and_loses_nothing(url: str, keys: Path, tmp_path: Path) -> None:
    filled(url, KeyRing.from_file(keys), count=400)
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url, str(keys)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writes\n"
        keys_file(keys, "new")
        run(tmp_path, "keys", "rotate", "--store", url, "--keys-file", str(keys))
        out, err = writer.communicate("", timeout=LIMIT)
    finally:
        writer.kill()
        writer.communicate()

    assert (writer.returncode, err) == (0, "")
    only_new = KeyRing.from_text(keys.read_text().splitlines()[0])
    on(url, Sealing(only_new).verify)
    state = on(url, everything)
    assert on(url, count_by_key) == {"new": 400 * VALUES}
    numbers = [value["number"] for value in secrets_in({**state, "binding": [], "operation": [], "step": []}, only_new)]
    # Requests and answers take turns; the last forty requests that the writer wrote are those that are there.
    assert set(numbers[0:80:2]) == set(range(int(out) - 40, int(out)))


def test_the_values_are_counted_by_key_and_the_exit_code_says_whether_to_rotate(url: str, keys: Path) -> None:
    folder = keys.parent
    filled(url, KeyRing.from_file(keys))
    assert run(folder, "keys", "status", "--store", url).stdout.decode() == "key 'old': 18 values\n"
    done = run(folder, "keys", "status", "--store", url, "--keys-file", "keys")
    assert done.stdout.decode() == "key 'old': 18 values, the current key\n"

    keys_file(keys, "new")
    done = run(folder, "keys", "status", "--store", url, OPENBROKER_KEYS_FILE="keys", code=1)
    assert done.stdout.decode() == "key 'old': 18 values, to be rotated\n"
    done = run(
        folder,
        "keys",
        "status",
        "--store",
        url,
        "--keys-file",
        "keys",
        "--json",
        code=1,
    )
    assert json.loads(done.stdout) == {
        "current": "new",
        "sealed": {"old": 18},
        "unsealed": 0,
    }

    other = keys_file(folder / "other", "other")
    done = run(folder, "keys", "status", "--store", url, "--keys-file", str(other), code=1)
    assert done.stdout.decode() == "key 'old': 18 values, and this key is not among those given\n"


@pytest.mark.slow
def test_a_store_for_development_is_sealed_when_that_is_said(url: str, keys: Path) -> None:
    folder = keys.parent
    filled(url, Unsealed())
    assert run(folder, "keys", "status", "--store", url).stdout.decode() == "not sealed: 18 values\n"
    assert "rotate --from-development" in refused(folder, "keys", "rotate", "--store", url, "--keys-file", "keys")
    done = run(
        folder,
        "keys",
        "rotate",
        "--store",
        url,
        "--keys-file",
        "keys",
        "--from-development",
        "--json",
    )
    assert json.loads(done.stdout) == {
        "current": "old",
        "rows": 12,
        "left": 0,
        "unopened": [],
    }
    done = run(folder, "keys", "status", "--store", url, "--keys-file", "keys")
    assert done.stdout.decode() == "key 'old': 18 values, the current key\n"


@pytest.mark.slow
def test_a_value_that_was_tampered_with_is_named_and_left(url: str, keys: Path) -> None:
    folder, ring = keys.parent, KeyRing.from_file(keys)

    async def fill(store: Store) -> None:
        await Sealing(ring).verify(store)
        rows = sample(ring, 2)
        moved = rows["step"][1]
        rows["step"][0] = msgspec.structs.replace(moved, operation_id="o-00000")
        await load(store, rows)

    on(url, fill)
    keys_file(keys, "new")
    done = run(folder, "keys", "rotate", "--store", url, "--keys-file", "keys", code=1)
    assert "step.result of o-00000/copy is left: it was changed, or moved from another place" in said(done)
    done = run(
        folder,
        "keys",
        "rotate",
        "--store",
        url,
        "--keys-file",
        "keys",
        "--json",
        code=1,
    )
    report = json.loads(done.stdout)
    assert [(each["table"], each["key"]) for each in report["unopened"]] == [("step", ["o-00000", "copy"])]


@pytest.mark.parametrize(
    ("arguments", "env", "sentence"),
    [
        (
            [],
            {},
            "there is no key; give --keys-file, OPENBROKER_KEYS_FILE or OPENBROKER_KEYS",
        ),
        (["--keys-file", "keys"], {"OPENBROKER_KEYS": "MARK"}, "give the keys once"),
        ([], {"OPENBROKER_KEYS": "MARK"}, "OPENBROKER_KEYS, line 1: there is no colon"),
        (
            ["--keys-file", "none"],
            {},
            "the keys file none cannot be read: No such file or directory",
        ),
        (
            ["--keys-file", "open"],
            {},
            "others may read the keys file open; run: chmod 600 open",
        ),
        (
            ["--keys-file", "other"],
            {},
            "the store was written with key 'old', which is not among",
        ),
    ],
)
def test_what_is_wrong_with_the_keys_is_one_sentence(
    keys: Path, arguments: list[str], env: dict[str, str], sentence: str
) -> None:
    folder, url = keys.parent, f"sqlite:///{keys.parent}/broker.db"
    filled(url, KeyRing.from_file(keys))
    keys_file(folder / "other", "other")
    keys_file(folder / "open", "open").chmod(0o644)
    text = refused(folder, "keys", "rotate", "--store", url, *arguments, **env)
    assert sentence in text
    assert not re.search("MARK|" + "|".join(map(re.escape, key_texts(keys))), text)


def test_keys_come_from_the_environment_too(keys: Path) -> None:
    filled(f"sqlite:///{keys.parent}/broker.db", KeyRing.from_file(keys))
    new, old = keys_file(keys, "new").read_text().split()
    done = run(keys.parent, "keys", "rotate", OPENBROKER_KEYS=f"{new},{old}")
    assert done.stdout.decode() == "Sealed 12 rows again, with key 'new'.\n"


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, keys: Path) -> None:
    for arguments in (["status"], ["rotate", "--keys-file", "keys"]):
        text = refused(tmp_path, "keys", *arguments, "--store", "sqlite:///none.db")
        assert "there is no state in" in text
        assert "none.db" in text
    assert not (tmp_path / "none.db").exists()
