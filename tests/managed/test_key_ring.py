"""The ring of keys: what opens where, what is refused, and what is never shown."""

from __future__ import annotations

import base64
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from openbrokerapi.managed.key_ring import KeyRing, KeysError, SealError, Unsealed, key_id, new_key

A, B = bytes(range(32)), bytes(range(1, 33))
HERE, THERE = b"binding/i-1/b-1", b"binding/i-1/b-2"


def line(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


def counting(start: int = 0):
    numbers = iter(range(start, 10_000))
    return lambda count: next(numbers).to_bytes(count, "big")


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_what_is_sealed_for_a_place_opens_there(plain: bytes, identity: bytes) -> None:
    ring = KeyRing({"a": A})
    sealed = ring.seal(plain, identity)
    assert ring.open(sealed, identity) == plain
    assert len(sealed) == 2 + 1 + 12 + len(plain) + 16


def test_a_sealed_value_has_the_documented_form() -> None:
    sealed = KeyRing({"key-1": A}, randomness=counting(5)).seal(b"secret", HERE)
    nonce = (5).to_bytes(12, "big")
    assert sealed == b"\x01\x05key-1" + nonce + AESGCM(A).encrypt(nonce, b"secret", HERE)


def test_the_same_value_is_sealed_differently_each_time() -> None:
    ring = KeyRing({"a": A})
    assert len({ring.seal(b"secret", HERE) for _ in range(100)}) == 100


def test_the_first_key_seals_and_every_key_opens() -> None:
    old = KeyRing({"a": A}).seal(b"secret", HERE)
    ring = KeyRing({"b": B, "a": A})
    assert ring.open(old, HERE) == b"secret"
    assert key_id(old) == "a"
    assert ring.key_id(ring.seal(b"secret", HERE)) == "b"
    assert ring.current == "b"


def test_a_value_does_not_open_in_another_place() -> None:
    ring = KeyRing({"a": A})
    with pytest.raises(SealError, match="moved from another place"):
        ring.open(ring.seal(b"secret", HERE), THERE)


def test_a_value_with_any_bit_changed_does_not_open() -> None:
    ring = KeyRing({"a": A})
    sealed = ring.seal(b"secret", HERE)
    for position in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[position] ^= 1 << bit
            with pytest.raises(SealError):
                ring.open(bytes(changed), HERE)


@given(st.binary(max_size=60))
def test_what_is_no_sealed_value_is_refused(noise: bytes) -> None:
    with pytest.raises(SealError):
        KeyRing({"a": A}).open(noise, HERE)


def test_a_shortened_value_is_refused() -> None:
    ring = KeyRing({"a": A})
    sealed = ring.seal(b"", HERE)
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            ring.open(sealed[:length], HERE)


def test_a_value_of_an_unknown_key_is_refused_with_the_keys_id() -> None:
    with pytest.raises(SealError, match="sealed with key 'b', which is not among"):
        KeyRing({"a": A}).open(KeyRing({"b": B}).seal(b"secret", HERE), HERE)


def test_a_value_of_another_key_with_the_same_id_is_refused() -> None:
    with pytest.raises(SealError):
        KeyRing({"a": A}).open(KeyRing({"a": B}).seal(b"secret", HERE), HERE)


def test_without_keys_values_are_marked_as_plain_and_a_ring_with_keys_refuses_them() -> None:
    plain = Unsealed().seal(b"secret", HERE)
    assert plain == b"\x00secret"
    assert Unsealed().open(plain, HERE) == b"secret"
    assert key_id(plain) is None
    with pytest.raises(SealError, match="not sealed"):
        KeyRing({"a": A}).open(plain, HERE)


def test_without_keys_a_sealed_value_is_refused() -> None:
    with pytest.raises(SealError, match="sealed with key 'a'"):
        Unsealed().open(KeyRing({"a": A}).seal(b"secret", HERE), HERE)


# --- the text form ---


def test_keys_are_read_by_line_and_by_comma_with_comments() -> None:
    text = f"# the keys\n\n {line('b', B)} # since May\n{line('a', A)},{line('c', bytes(32))}\n"
    assert KeyRing.from_text(text).ids == ("b", "a", "c")


def test_a_new_key_is_a_line_that_can_be_read_and_no_two_are_the_same() -> None:
    ring = KeyRing.from_text("\n".join(new_key() for _ in range(20)))
    assert len(ring.ids) == 20
    assert ring.open(ring.seal(b"secret", HERE), HERE) == b"secret"


def test_a_new_key_is_made_of_the_given_randomness() -> None:
    assert new_key(bytes) == f"00000000:{base64.b64encode(bytes(32)).decode()}"


MARKER = base64.b64encode(b"marker-of-a-key-that-is-32-bytes").decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no key; `openbroker keys new`"),
        ("# nothing\n", "there is no key; `openbroker keys new`"),
        (f"a:{MARKER}\n{MARKER}", "KEYS, line 2: there is no colon; write id:key"),
        (f"{MARKER}:a", "KEYS, line 1: what is behind the colon is no base64"),
        (f"{MARKER.rstrip('=')}:{MARKER}", "KEYS, line 1: an id has 1 to 32 letters"),
        (f"a b:{MARKER}", "KEYS, line 1: an id has 1 to 32 letters"),
        (f":{MARKER}", "KEYS, line 1: an id has 1 to 32 letters"),
        (f"a:{MARKER}!", "KEYS, line 1: what is behind the colon is no base64"),
        (f"a:{MARKER[:20]}", "KEYS, line 1: the key 'a' has 15 bytes; write 32 bytes"),
        (f"a:{MARKER}\n\nb:{MARKER},a:{MARKER}", "KEYS, line 3: the id 'a' is there twice"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_in_a_sentence_without_a_key(text: str, said: str) -> None:
    with pytest.raises(KeysError) as caught:
        KeyRing.from_text(text, "KEYS")
    assert said in caught.value.operator_message
    assert MARKER[:8] not in caught.value.operator_message
    assert "\n" not in caught.value.operator_message


def test_a_key_of_the_wrong_length_is_refused_from_code_too() -> None:
    with pytest.raises(KeysError, match="has 16 bytes"):
        KeyRing({"a": bytes(16)})
    with pytest.raises(KeysError, match="there is no key"):
        KeyRing({})


def test_a_ring_shows_ids_only() -> None:
    ring = KeyRing({"b": B, "a": A})
    assert repr(ring) == "KeyRing(b, a)"


# --- the file ---


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    write(path, line("a", A))
    return path


def write(path: Path, text: str) -> None:
    # As an operator should: a new file in place of the old one.
    fresh = path.with_name("fresh")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def test_a_running_broker_learns_a_key_when_it_meets_its_id(file: Path) -> None:
    ring = KeyRing.from_file(file, clock=Clock())
    sealed = KeyRing({"b": B}).seal(b"secret", HERE)
    with pytest.raises(SealError):
        ring.open(sealed, HERE)
    write(file, f"{line('b', B)}\n{line('a', A)}")
    assert ring.open(sealed, HERE) == b"secret"
    assert key_id(ring.seal(b"secret", HERE)) == "b"


def test_a_running_broker_seals_with_a_new_key_after_a_second(file: Path) -> None:
    clock = Clock()
    ring = KeyRing.from_file(file, clock=clock)
    write(file, f"{line('b', B)}\n{line('a', A)}")
    clock.now = 0.9
    assert key_id(ring.seal(b"secret", HERE)) == "a"
    clock.now = 1.1
    assert key_id(ring.seal(b"secret", HERE)) == "b"


@pytest.mark.parametrize("text", ["", "a:half-of-a-li", "\x00"])
def test_a_file_that_is_half_written_changes_nothing(file: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    ring = KeyRing.from_file(file, clock=clock)
    file.write_text(text)
    clock.now = 2.0
    with caplog.at_level(logging.WARNING):
        assert key_id(ring.seal(b"secret", HERE)) == "a"
    assert "the keys stay as they were" in caplog.text
    write(file, line("b", B))
    clock.now = 4.0
    assert key_id(ring.seal(b"secret", HERE)) == "b"


def test_a_file_that_is_gone_changes_nothing_and_is_said_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    ring = KeyRing.from_file(file, clock=clock)
    file.unlink()
    for clock.now in (2.0, 4.0, 6.0):
        assert key_id(ring.seal(b"secret", HERE)) == "a"
    assert caplog.text.count("the keys stay as they were") == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_may_use_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(KeysError, match=f"others may read the keys file .*; run: chmod 600 {re.escape(str(file))}"):
        KeyRing.from_file(file)


# As it is in a container: the file is mounted as root's, the process is somebody else's.
_AS_SOMEBODY = """
import os, sys
from openbrokerapi.managed.key_ring import KeyRing, KeysError
path = sys.argv[1]
descriptor = os.open(path, os.O_RDONLY)
os.setgroups([]); os.setgid(4711); os.setuid(4711)
try:
    print(KeyRing.from_file(f"/proc/self/fd/{descriptor}"))
except KeysError as error:
    print(error.operator_message)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("mode", "said"), [(0o440, "KeyRing(a)"), (0o444, "others may read"), (0o460, "others may")])
def test_a_file_of_roots_may_be_read_by_a_group_of_the_process(file: Path, mode: int, said: str) -> None:
    os.chown(file, 0, 4711)
    file.chmod(mode)
    done = subprocess.run(
        [sys.executable, "-c", _AS_SOMEBODY, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert said in done.stdout, done.stderr


def test_a_file_that_is_not_there_or_no_text_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="none cannot be read: No such file"):
        KeyRing.from_file(tmp_path / "none")
    with pytest.raises(KeysError, match="cannot be read"):
        KeyRing.from_file(tmp_path)
    noise = tmp_path / "noise"
    noise.touch(mode=0o600)
    noise.write_bytes(b"\xff\xfe")
    with pytest.raises(KeysError, match="is no text"):
        KeyRing.from_file(noise)
