#!/usr/bin/env python3
"""What PostgreSQL carries for the change feed of many replicas: processor time, memory, and how late a change is known.

Each simulated replica does what a real one does (src/store/postgres/wake.rs, src/view/follow.rs): it listens on one connection, asks on another
for the latest change every half second, by a prepared statement, and reads the changes when it is woken. A writer commits changes as the
store does, with a notification. Nothing but the feed is simulated: no request, no lookup.

usage: benches/feed.py [REPLICAS …]      (10 100 1000 unless given; needs PostgreSQL, which scripts/postgres.sh starts)
"""
import asyncio
import os
import resource
import struct
import subprocess
import sys
import time
from pathlib import Path

POLL = 0.5
SECONDS = 20
WRITES_A_SECOND = 2
CHANNEL = "portcullis_change"
LATEST = "select coalesce(max(seq), 0) from change"
CHANGES = "select seq, kind, key from change where seq > $1 order by seq limit 1000"


class Connection:
    """The part of PostgreSQL's protocol that this needs, version 3, on a socket where everybody is believed."""

    def __init__(self, reader, writer, heard=None):
        self.reader, self.writer, self.heard, self.waiting = reader, writer, heard, None

    @classmethod
    async def open(cls, directory, heard=None):
        reader, writer = await asyncio.open_unix_connection(f"{directory}/.s.PGSQL.5432")
        text = b"user\0portcullis\0database\0postgres\0\0"
        writer.write(struct.pack("!II", 8 + len(text), 196608) + text)
        self = cls(reader, writer, heard)
        await self.answer()
        if heard:
            asyncio.get_running_loop().create_task(self.listen())
        return self

    def send(self, kind, body=b""):
        self.writer.write(kind + struct.pack("!I", 4 + len(body)) + body)

    async def message(self):
        head = await self.reader.readexactly(5)
        return head[:1], await self.reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)

    async def answer(self):
        """Reads to the end of an answer; the first value of each row."""
        rows = []
        while True:
            kind, body = await self.message()
            if kind == b"E":
                raise RuntimeError(body)
            if kind == b"D":
                length = struct.unpack("!i", body[2:6])[0]
                rows.append(body[6 : 6 + length])
            elif kind == b"A" and self.heard:
                self.heard(body)
            elif kind == b"Z":
                return rows

    async def query(self, text):
        self.send(b"Q", text.encode() + b"\0")
        return await self.answer()

    async def prepare(self, name, text):
        self.send(b"P", name.encode() + b"\0" + text.encode() + b"\0\0\0")
        self.send(b"S")
        await self.answer()

    async def ask(self, name, *values):
        body = b"\0" + name.encode() + b"\0" + struct.pack("!HH", 0, len(values))
        body += b"".join(struct.pack("!I", len(value)) + value for value in values) + struct.pack("!H", 0)
        self.send(b"B", body)
        self.send(b"E", b"\0" + struct.pack("!I", 0))
        self.send(b"S")
        return await self.answer()

    async def listen(self):
        try:
            while True:
                kind, body = await self.message()
                if kind == b"A":
                    self.heard(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


class Replica:
    """Listens, asks every half second, and reads what is new."""

    def __init__(self, committed, delays):
        self.committed, self.delays, self.woken, self.applied = committed, delays, asyncio.Event(), 0

    async def start(self, directory):
        self.reader = await Connection.open(directory)
        await self.reader.prepare("latest", LATEST)
        await self.reader.prepare("changes", CHANGES)
        self.applied = int((await self.reader.ask("latest"))[0])
        # LISTEN is answered before anybody else reads from that connection.
        self.ear = await Connection.open(directory)
        await self.ear.query(f"listen {CHANNEL}")
        self.ear.heard = lambda body: self.woken.set()
        self.hears = asyncio.create_task(self.ear.listen())
        self.follows = asyncio.create_task(self.follow())

    async def follow(self):
        while True:
            try:
                await asyncio.wait_for(self.woken.wait(), POLL)
            except asyncio.TimeoutError:
                pass
            self.woken.clear()
            latest = int((await self.reader.ask("latest"))[0])
            if latest > self.applied:
                await self.reader.ask("changes", str(self.applied).encode())
                known = time.monotonic()
                self.delays += [known - self.committed[seq] for seq in range(self.applied + 1, latest + 1) if seq in self.committed]
                self.applied = latest

    def stop(self):
        for task in (self.hears, self.follows):
            task.cancel()
        for connection in (self.reader, self.ear):
            connection.writer.close()


def family(postmaster):
    """The server's processes."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True).stdout
    return [postmaster, *map(int, children.split())]


def cpu(pids):
    """Seconds on a processor, to the nanosecond: an answer is shorter than a tick of the clock."""
    spent = 0
    for pid in pids:
        try:
            spent += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass
    return spent / 1e9


def memory(pids):
    """Proportional memory in MiB: what is shared counts once."""
    kilobytes = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (FileNotFoundError, StopIteration, PermissionError):
            pass
    return kilobytes / 1024


async def write(connection, committed, until, payload="x" * 20):
    while time.monotonic() < until:
        await connection.query("begin; select pg_advisory_xact_lock(1)")
        rows = await connection.query(
            "insert into change (seq, kind, key) select coalesce(max(seq), 0) + 1, 'policy', '%s' from change returning seq" % payload
        )
        seq = int(rows[0])
        await connection.query(f"select pg_notify('{CHANNEL}', '{seq}')")
        committed[seq] = time.monotonic()
        await connection.query("commit")
        await asyncio.sleep(1 / WRITES_A_SECOND)


async def measure(count, postmaster, directory):
    committed, delays = {}, []
    replicas = [Replica(committed, delays) for _ in range(count)]
    for at in range(0, count, 25):
        await asyncio.gather(*(replica.start(directory) for replica in replicas[at : at + 25]))
    writer = await Connection.open(directory)
    await asyncio.sleep(2)
    before, began = cpu(family(postmaster)), time.monotonic()
    await asyncio.sleep(SECONDS)
    idle = (cpu(family(postmaster)) - before) / (time.monotonic() - began)
    before, began = cpu(family(postmaster)), time.monotonic()
    await write(writer, committed, began + SECONDS)
    busy = (cpu(family(postmaster)) - before) / (time.monotonic() - began)
    held = memory(family(postmaster))
    await asyncio.sleep(2)
    delays.sort()
    at = lambda share: delays[min(len(delays) - 1, int(len(delays) * share))] * 1000 if delays else float("nan")
    missing = len(committed) * count - len(delays)
    print(
        f"| {count} | {2 * count} | {idle * 100:.1f} % | {busy * 100:.1f} % | {(busy - idle) / WRITES_A_SECOND * 1000:.1f} ms |"
        f" {at(0.5):.1f} ms | {at(0.99):.1f} ms | {at(1):.1f} ms | {held:.0f} MiB | {missing} |",
        flush=True,
    )
    for replica in replicas:
        replica.stop()


async def main(counts):
    print("| replicas | connections | processor, nothing changes | 2 changes/s | for one change | known after, p50 | p99 | most | memory | missed |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for count in counts:
        keeper = subprocess.Popen(
            [Path(__file__).resolve().parent.parent / "scripts/postgres.sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PG_CONNECTIONS": str(2 * count + 50)},
        )
        postmaster, directory = keeper.stdout.readline().split()
        setup = await Connection.open(directory)
        await setup.query("create table change (seq bigint primary key, kind text, key text)")
        await setup.query("insert into change select n, 'policy', md5(n::text) from generate_series(1, 10000) n; analyze change")
        try:
            await measure(count, int(postmaster), directory)
        finally:
            keeper.stdin.close()
            keeper.wait()


if __name__ == "__main__":
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    asyncio.run(main([int(word) for word in sys.argv[1:]] or [10, 100, 1000]))
