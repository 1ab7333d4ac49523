from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["page_fixtures"]


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """The folder of development data; it is not part of the project."""
    folder = os.environ.get("THISISMY_DATA")
    if not folder:
        pytest.skip("needs the development data: set THISISMY_DATA to its folder")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"THISISMY_DATA names no folder: {folder}")
    return path
