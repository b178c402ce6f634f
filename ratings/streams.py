"""The plain bytes of a file, packed or not, in pieces of which none is large."""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

GZIP = b"\x1f\x8b"
PEEK, PIECE, CHUNK = 2**12, 2**22, 2**18
# zlib copies what it is given and does not use, so a member is fed in growing bites
FIRST_BITE = 2**8
# bgzip cuts a file of 2 GiB into 33,000 members; a hundred times as many take minutes
MOST_MEMBERS = 2**17
ZEROS = re.compile(rb"\0*")


class TooManyMembers(Exception):
    """A gzip file that is cut into more members than any program writes."""


def read_pieces(path: Path) -> Generator[bytes]:
    """The plain bytes of a file, inflated if it is gzip; the first piece is small."""
    with path.open("rb") as stream:
        if stream.peek(2)[:2] == GZIP:
            yield from inflate(stream)
            return
        yield stream.read(PEEK)
        while piece := stream.read(PIECE):
            yield piece


class PackedBytes:
    """What is left of a gzip file; bites of it are looked at before they are passed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._held, self._at = stream, b"", 0

    def bite(self, most: int) -> memoryview:
        """The next bytes, at most that many; none at the end."""
        if self._at == len(self._held):
            self._held, self._at = self._stream.read(CHUNK), 0
        return memoryview(self._held)[self._at : self._at + most]

    def pass_over(self, count: int) -> None:
        self._at += count

    def skip_zeros(self) -> bool:
        """Past zeros, with which tapes and tools fill up; whether more follows."""
        while self.bite(1):
            found = ZEROS.match(self._held, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._held):
                return True
        return False


def inflate(stream: BinaryIO) -> Iterator[bytes]:
    """All members of a gzip file; zlib checks checksum and length of each."""
    packed = PackedBytes(stream)
    for _ in range(MOST_MEMBERS):
        yield from inflate_member(packed)
        if not packed.skip_zeros():
            return
    raise TooManyMembers


def inflate_member(packed: PackedBytes) -> Iterator[bytes]:
    member, size = zlib.decompressobj(wbits=31), FIRST_BITE
    while not member.eof:
        bite = packed.bite(size)
        if not bite:
            raise EOFError
        piece = member.decompress(bite, PIECE)
        left = len(member.unconsumed_tail) + len(member.unused_data)
        packed.pass_over(len(bite) - left)
        if piece:
            yield piece
        size = min(2 * size, CHUNK)


class PlainBytes:
    """Takes pieces of any length and gives out exactly what is asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    def take(self, most: int) -> memoryview:
        """At most that many bytes; none at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return memoryview(b"")
            self._held = memoryview(piece)
        taken, self._held = self._held[:most], self._held[most:]
        return taken

    def fill(self, target: memoryview) -> None:
        at = 0
        while at < len(target):
            taken = self.take(len(target) - at)
            if not taken:
                raise EOFError
            target[at : at + len(taken)] = taken
            at += len(taken)

    def read(self, most: int) -> bytes:
        data = bytearray()
        while len(data) < most and (taken := self.take(most - len(data))):
            data += taken
        return bytes(data)

    def skip(self, count: int) -> None:
        while count:
            taken = len(self.take(count))
            if not taken:
                raise EOFError
            count -= taken
