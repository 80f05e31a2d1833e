"""A process that commits, and says of each change when it was answered; a test kills it."""

import asyncio
import itertools
import os
import sys

from tests.stores.places import place_of
from tests.stores.samples import event, instance, operation, write

from openbrokerapi.stores.contract import Store

#: So many change at the same time.
CLIENTS = 16


async def commit(store: Store, numbers: "itertools.count[int]") -> None:
    for number in numbers:
        instance_id = f"i{number}"
        row = operation(f"op{number}", instance_id)
        await write(store, instance_id, instance=instance(instance_id), operations=(row,), events=(event(instance_id),))
        # Not through a buffer: it would be lost with the process.
        os.write(1, f"{number}\n".encode())


async def main() -> None:
    store = place_of(sys.argv[1]).store()
    await store.open()
    numbers = itertools.count()
    await asyncio.gather(*(commit(store, numbers) for _ in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main())
