"""What stays in memory between predictions: one model, and one image read ahead."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A thing and what it was made from."""

    key: Hashable
    thing: T


class Shelf(Generic[T]):
    """Room for one thing, made anew when another one is asked for."""

    def __init__(self) -> None:
        self.kept: Kept[T] | None = None

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The thing of that key; an older one is let go before the new one is made."""
        found = self.peek(key)
        if found is not None:
            return found
        self.kept = None
        made = make()
        self.kept = Kept(key, made)
        return made

    def peek(self, key: Hashable) -> T | None:
        """The thing of that key if it is here."""
        kept = self.kept
        return kept.thing if kept is not None and kept.key == key else None


class Ahead(Generic[T]):
    """One piece of work begun in a thread, for whoever asks for it by its key."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.begun: Kept[Future[T]] | None = None

    def start(self, key: Hashable, work: Callable[[], T]) -> bool:
        """Begin, unless other work has not ended; whether this work is under way."""
        with self.lock:
            if self.begun is not None:
                if self.begun.key == key:
                    return True
                if not self.begun.thing.done():
                    return False
            future: Future[T] = Future()
            self.begun = Kept(key, future)
        Thread(target=fulfil, args=(future, work), name="ahead", daemon=True).start()
        return True

    def take(self, key: Hashable) -> Future[T] | None:
        """The work of that key, which is handed out once; other work is dropped."""
        with self.lock:
            begun, self.begun = self.begun, None
        return begun.thing if begun is not None and begun.key == key else None


def fulfil(future: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:
        # Raised again where the result is asked for.
        future.set_exception(error)
    else:
        future.set_result(result)
