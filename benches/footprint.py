#!/usr/bin/env python3
"""How long one replica takes to start and what it takes in memory, by how many policies the account has and how many principals are active.

Makes accounts of 1,000 service IDs and 10³, 10⁵ and 10⁶ policies in SQLite files, as `cargo bench --bench relay -- scale` does; starts the
server on each; and lets 200 of the service IDs log in, so that their policies are read, compiled and kept.

usage: benches/footprint.py PORTCULLIS [POLICIES …]
"""
import base64
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVICE_IDS = 1000
ACTIVE = 200
KEY = "footprint-administrator-0123456789abcdefghijklmn"

SETTINGS = """[account]
id = "123456789012"
[store]
url = "sqlite:{0}/store.db"
master_key_file = "{0}/master.key"
[audit]
path = "none"
[log]
level = "warn"
[[registry]]
name = "localhost"
region = "us-south"
upstream = "http://127.0.0.1:9"
[[listener]]
address = "127.0.0.1:0"
surfaces = ["registry", "control", "health"]
"""


def owner(number):
    return f"iam-ServiceId-00000000-0000-4000-8000-{number:012x}"


def fill(path, policies):
    store = sqlite3.connect(path)
    founder = store.execute("select id from principal where kind = 'user'").fetchone()[0]
    then = 1700000000000
    store.executemany(
        "insert into principal (id, kind, name, description, active, locked, created_at, modified_at, version) values (?, 'service_id', ?, '', 1, 0, ?, ?, 1)",
        ((owner(i), f"robot-{i}", then, then) for i in range(1, SERVICE_IDS + 1)),
    )

    def rows():
        role = [{"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Reader"}]
        for i in range(1, policies + 1):
            named = {"accountId": "123456789012", "serviceName": "container-registry", "resourceType": "namespace", "resource": f"space-{i}"}
            attributes = [{"name": name, "value": value} for name, value in named.items()]
            document = json.dumps({"roles": role, "resources": [{"attributes": attributes}]}, separators=(",", ":"))
            yield f"00000000-0000-4000-9000-{i:012x}", owner(1 + i % SERVICE_IDS), document, founder, founder, then, then

    store.executemany(
        "insert into policy (id, principal_id, document, description, created_by, modified_by, created_at, modified_at, version)"
        " values (?, ?, ?, '', ?, ?, ?, ?, 1)",
        rows(),
    )
    store.commit()
    store.close()


def resident(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:")) / 1024


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def call(port, method, path, headers, body=None):
    connection = http.client.HTTPConnection("localhost", port, timeout=60)
    headers = {**headers, "Content-Type": "application/json"}
    connection.request(method, path, body=json.dumps(body) if body else None, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
    return json.loads(text)


def measure(program, policies):
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "portcullis.toml")
        settings.write_text(SETTINGS.format(folder))
        environment = {"PATH": os.environ["PATH"], "PORTCULLIS_BOOTSTRAP_API_KEY": KEY}
        subprocess.run([program, "init", "--config", settings], env=environment, check=True, stdout=subprocess.DEVNULL)
        fill(Path(folder, "store.db"), policies)
        began = time.monotonic()
        server = subprocess.Popen([program, "serve", "--config", settings], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = 0
        for line in server.stdout:
            if line.startswith("listening on"):
                port = int(line.split()[2].rsplit(":", 1)[1])
            if line.strip() == "ready":
                break
        started = time.monotonic() - began
        try:
            time.sleep(2)
            at_rest = resident(server.pid)
            keys = [
                call(port, "POST", "/v1/apikeys", basic("iamapikey", KEY), {"name": "k", "iam_id": owner(i), "account_id": "123456789012"})["apikey"]
                for i in range(1, ACTIVE + 1)
            ]
            before = resident(server.pid)
            scope = "/oauth/token?service=registry&scope=repository:space-1/x:pull"
            began = time.monotonic()
            for key in keys:
                call(port, "GET", scope, basic("iamapikey", key))
            took = (time.monotonic() - began) / ACTIVE
            after = resident(server.pid)
        finally:
            server.terminate()
            server.wait()
        size = sum(file.stat().st_size for file in Path(folder).glob("store.db*")) / 2**20
        each = policies // SERVICE_IDS
        print(
            f"| {policies:,} | {each:,} | {size:.0f} MiB | {started * 1000:.0f} ms | {at_rest:.0f} MiB |"
            f" {(after - before) * 1024 / ACTIVE:.0f} KiB | {took * 1000:.1f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    print("| policies | of each principal | store | start | memory then | for an active principal | its first login |")
    print("|---|---|---|---|---|---|---|")
    for count in [int(word) for word in sys.argv[2:]] or [1000, 100_000, 1_000_000]:
        measure(sys.argv[1], count)
