"""Killed processes and several at once, for real."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import FakeEncoder
from PIL import Image
from sqlalchemy import func, select

from thisismy.store import schema
from thisismy.store.folder import Store
from thisismy.store.vector_index.gallery import load_gallery

FILES = 40

PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from fakes import FakeEncoder
from thisismy.jobs.indexing import Indexer
from thisismy.store.folder import Store

class Slow(FakeEncoder):
    def encode_images(self, images):
        time.sleep(0.02)
        with open({calls!r}, "a") as file:
            file.write("x" * len(images))
        return super().encode_images(images)

store = Store.create(Path({library!r}))
with store.indexing():
    indexer = Indexer(store, Slow, settings=store.index_settings)
    report = indexer.run([Path({media!r})])
print(report.added + report.updated)
"""


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    for number in range(FILES):
        path = tmp_path / f"in/{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (16, 16), (number, 5, 5)).save(path)
    code = PROGRAM.format(
        tests=str(Path(__file__).parent),
        calls=str(tmp_path / "calls"),
        library=str(tmp_path / "library"),
        media=str(tmp_path / "in"),
    )
    return [sys.executable, "-c", code]


def count(store: Store, table: str) -> int:
    with store.read() as connection:
        return connection.execute(
            select(func.count()).select_from(schema.metadata.tables[table])
        ).scalar_one()


def test_killed_again_and_again(program: list[str], tmp_path: Path) -> None:
    chance = random.Random(0)
    kills = 0
    for _ in range(8):
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.5, 1.6))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
    store = Store.open(tmp_path / "library")
    assert kills
    assert [count(store, table) for table in ("files", "media", "shots", "regions", "vectors")] == [FILES] * 5
    assert len(load_gallery(store, FakeEncoder.id)) == FILES
    # A kill costs at most the one file that was being encoded.
    assert FILES <= len((tmp_path / "calls").read_text()) <= FILES + kills


def test_two_at_once(program: list[str], tmp_path: Path) -> None:
    processes = [subprocess.Popen(program, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    done = [int(process.communicate()[0]) for process in processes]
    store = Store.open(tmp_path / "library")
    assert sum(done) == FILES
    assert [count(store, table) for table in ("files", "media", "shots", "vectors")] == [FILES] * 4
    assert len((tmp_path / "calls").read_text()) == FILES


def test_a_killed_process_lets_go_of_the_lock(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from thisismy.store.folder import Store
with Store.create(Path({str(tmp_path)!r})).indexing():
    print("held", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait()
    with Store.open(tmp_path).indexing(wait=False):
        pass
