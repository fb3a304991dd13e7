"""Everything that is kept, as text: what a search for somebody's name has to go through."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg2
import redis

from tests.e2e.laptop import Laptop

SERVICES = ("auth", "events", "tickets", "payments", "notifications")
TABLES = """
    SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


def tables(dsn: str) -> dict[str, str]:
    """Every table of a database, whatever it is called and whatever columns it has: its rows as text."""
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(TABLES)
            names = [row[0] for row in cursor.fetchall()]
            found = {}
            for name in names:
                cursor.execute(f"SELECT t::text FROM {name} AS t")
                found[name] = "\n".join(row[0] for row in cursor.fetchall())
            return found
    finally:
        connection.close()


def everything(laptop: Laptop) -> dict[str, str]:
    """All that a running laptop cloud keeps, by its place: tables, files of buckets, Redis, queues, logs.

    Not the mails: they are in their recipients' hands.
    """
    ports = json.loads((laptop.state / "ports.json").read_text())
    found: dict[str, str] = {}
    for service in SERVICES:
        dsn = f"host=127.0.0.1 port={ports['postgres']} dbname={service} user=postgres"
        found |= {f"{service}: {name}": text for name, text in tables(dsn).items()}
    found |= dict(_objects(ports["aws"]))
    found |= dict(_redis(ports["valkey"]))
    found["queues"] = "\n".join(_messages(laptop))
    found |= {f"log {f.name}": f.read_text(errors="replace") for f in (laptop.state / "logs").rglob("*.log")}
    return found


def places(kept: dict[str, str], words: set[str]) -> dict[str, set[str]]:
    """Where each of the words is found, in whatever case."""
    lower = {place: text.lower() for place, text in kept.items()}
    found = {word: {place for place, text in lower.items() if word.lower() in text} for word in words}
    return {word: where for word, where in found.items() if where}


def export_keys(laptop: Laptop) -> list[str]:
    """The files in the bucket of exports."""
    ports = json.loads((laptop.state / "ports.json").read_text())
    return [name for name, _ in _objects(ports["aws"]) if "-exports-" in name]


def _objects(port: int) -> Iterator[tuple[str, str]]:
    storage: Any = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    for bucket in storage.list_buckets()["Buckets"]:
        name = bucket["Name"]
        for item in storage.list_objects_v2(Bucket=name).get("Contents", []):
            body = storage.get_object(Bucket=name, Key=item["Key"])["Body"].read()
            yield f"{name}/{item['Key']}", body.decode(errors="replace")


def _redis(port: int) -> Iterator[tuple[str, str]]:
    client: Any = redis.Redis("127.0.0.1", port, decode_responses=True)
    readers = {
        "string": client.get,
        "hash": client.hgetall,
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "list": lambda key: client.lrange(key, 0, -1),
    }
    for key in client.scan_iter(count=1000):
        read = readers.get(client.type(key))
        yield f"redis {key}", f"{key} {read(key) if read else ''}"


def _messages(laptop: Laptop) -> Iterator[str]:
    connection = sqlite3.connect(f"file:{laptop.state / 'queues.sqlite3'}?mode=ro", uri=True)
    try:
        for row in connection.execute("SELECT queue, body, attributes FROM messages"):
            yield " ".join(row)
    finally:
        connection.close()
