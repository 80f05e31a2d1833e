"""What a managed broker is given from outside: its store and its keys, by options and environment."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

if TYPE_CHECKING:
    from openbrokerapi.managed.key_ring import KeyRing
    from openbrokerapi.managed.sealing import Ring
    from openbrokerapi.stores.contract import Store

T = TypeVar("T")
Decorated = Callable[..., Any]

STORE, KEYS_FILE = "OPENBROKER_STORE", "OPENBROKER_KEYS_FILE"
DEVELOPMENT, NO_WORK = "OPENBROKER_DEVELOPMENT", "OPENBROKER_NO_WORK"
# Only ever in the environment: a command line can be read by others.
KEYS = "OPENBROKER_KEYS"
DEFAULT_STORE = "sqlite:///broker.db"

_store = click.option(
    "--store",
    envvar=STORE,
    metavar="URL",
    help=f"Where the state is kept: sqlite:///FILE or postgresql://...  [default: {DEFAULT_STORE}]",
)
_keys_file = click.option(
    "--keys-file", envvar=KEYS_FILE, type=click.Path(dir_okay=False), help="File with the keys, one id:key a line."
)
_development = click.option(
    "--development", is_flag=True, envvar=DEVELOPMENT, help="Keep secrets unsealed; not for real ones."
)


class ManagingError(click.ClickException):
    """A store, keys or a broker cannot be used; the message says what to change."""

    exit_code = 2


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a managed broker keeps its state, and with which keys; no key is in it.

    Attributes:
        store: URL of the store; None for the default.
        works: Whether this process carries operations out.
        explicit: The options that were given on the command line.
    """

    store: str | None = None
    keys_file: str | None = None
    development: bool = False
    works: bool = True
    explicit: tuple[str, ...] = ()


def store_option(command: Decorated) -> Decorated:
    """Add ``--store`` to a command."""
    return _store(command)


def keys_option(command: Decorated) -> Decorated:
    """Add ``--keys-file`` to a command."""
    return _keys_file(command)


def state_options(command: Decorated) -> Decorated:
    """Add ``--store``, ``--keys-file`` and ``--development`` to a command."""
    return _store(_keys_file(_development(command)))


def state_of(
    context: click.Context, store: str | None, keys_file: str | None, *, development: bool, works: bool = True
) -> State:
    """Give the state that the options of a command say."""
    given = click.core.ParameterSource.COMMANDLINE
    names = ("store", "keys_file", "development", "no_work")
    explicit = tuple(f"--{name.replace('_', '-')}" for name in names if context.get_parameter_source(name) is given)
    return State(store=store, keys_file=keys_file, development=development, works=works, explicit=explicit)


def hand_over(state: State) -> None:
    """Put the state into the environment, for the processes that this one starts."""
    said = {
        STORE: state.store,
        KEYS_FILE: state.keys_file,
        DEVELOPMENT: "1" if state.development else None,
        NO_WORK: None if state.works else "1",
    }
    for name, value in said.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def handed_over() -> State:
    """Give the state that :func:`hand_over` put into the environment."""
    return State(
        store=os.environ.get(STORE),
        keys_file=os.environ.get(KEYS_FILE),
        development=DEVELOPMENT in os.environ,
        works=NO_WORK not in os.environ,
    )


def is_managed(broker: Any) -> bool:
    """Tell whether a broker keeps its state in a store that it is connected to."""
    # Of the class: a mock has every attribute that it is asked for.
    return callable(getattr(type(broker), "connect", None))


def prepare(broker: Any, state: State, *, processes: int = 1, reference: str = "the broker") -> None:
    """Connect a managed broker with its store and its keys; leave alone one that has them from its code.

    Args:
        processes: How many processes will use the store.
        reference: What errors call the broker.

    Raises:
        ManagingError: The options do not fit the broker, the store or one another.
    """
    if not is_managed(broker):
        _refuse_explicit(state, f"{reference} is no managed broker, and keeps no state in a store")
        return
    if broker.connected:
        _refuse_explicit(state, f"{reference} has its store from its code")
        return
    with told():
        store = store_at(state.store)
        if not store.shared:
            _refuse_several(state, processes)
        broker.connect(store, ring_of(state), works=state.works)


def _refuse_explicit(state: State, why: str) -> None:
    if state.explicit:
        raise ManagingError(f"{why}; leave out {', '.join(state.explicit)}")


def _refuse_several(state: State, processes: int) -> None:
    if processes > 1:
        raise ManagingError(
            f"a SQLite store belongs to one process, and --workers says {processes}; "
            "say --workers 1, or give a PostgreSQL store with --store"
        )
    if not state.works:
        raise ManagingError(
            "a SQLite store belongs to one process, so with --no-work nobody would carry operations out; "
            "leave it out, or give a PostgreSQL store with --store"
        )


def store_at(url: str | None) -> Store:
    """Give the store at a URL, not opened yet; None for the default.

    Raises:
        StoreError: There is no such kind of store.
    """
    from openbrokerapi.stores.location import open_location

    return open_location(url or DEFAULT_STORE, clock=time.time)


def ring_of(state: State) -> Ring:
    """Give the keys of a broker, or none if it is for development.

    Raises:
        ManagingError: There are none, or they are given twice.
        KeysError: They are not written as they should be.
    """
    from openbrokerapi.managed.key_ring import Unsealed

    ring = given_ring(state.keys_file)
    if ring is not None and state.development:
        raise ManagingError("there are keys, and --development is for a broker without; take one of them away")
    if ring is None and not state.development:
        raise ManagingError(
            "there is no key to seal credentials with; make one with `openbroker keys new > keys` (and umask 077), "
            f"give it with --keys-file keys, {KEYS_FILE} or {KEYS}; or say --development to keep secrets unsealed"
        )
    return ring or Unsealed()


def given_ring(keys_file: str | None) -> KeyRing | None:
    """Give the keys of the file or of the environment; None where there are none.

    Raises:
        ManagingError: There are both.
        KeysError: They are not written as they should be.
    """
    from openbrokerapi.managed.key_ring import KeyRing

    text = os.environ.get(KEYS)
    if text and keys_file:
        raise ManagingError(f"give the keys once: take away {KEYS}, or {KEYS_FILE} and --keys-file")
    if keys_file:
        return KeyRing.from_file(keys_file)
    return KeyRing.from_text(text, KEYS) if text else None


def needed_ring(keys_file: str | None) -> KeyRing:
    """Give the keys of a command that cannot do without.

    Raises:
        ManagingError: There are none.
    """
    ring = given_ring(keys_file)
    if ring is None:
        raise ManagingError(f"there is no key; give --keys-file, {KEYS_FILE} or {KEYS}")
    return ring


@contextmanager
def told() -> Iterator[None]:
    """Turn what has a sentence for the operator into an error of the command.

    Raises:
        ManagingError: With that sentence.
    """
    try:
        yield
    except Exception as error:
        message = getattr(error, "operator_message", None)
        if message is None:
            raise
        raise ManagingError(message) from None


def finished(work: Awaitable[T], new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Run a coroutine to its end, as a command.

    Args:
        new_loop: Makes the event loop; None takes that of Python.

    Raises:
        ManagingError: What went wrong has a sentence for the operator.
    """

    async def awaited() -> T:
        return await work

    with told(), asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(awaited())


@asynccontextmanager
async def opened(url: str | None, *, owner: bool = False) -> AsyncIterator[Store]:
    """Open a store that is there, beside the broker that runs on it; as its owner also one that is new.

    Raises:
        ManagingError: There is nothing in it.
        StoreError: It cannot be used.
    """
    store = store_at(url)
    if not owner:
        status = await store.status()
        if not status.version:
            raise ManagingError(f"there is no state in {status.where}; name another --store")
    await store.open(owner=owner)
    try:
        yield store
    finally:
        await store.close()
