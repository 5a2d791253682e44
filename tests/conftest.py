"""What every test may ask for: the public corpus where there is one, and leave to rewrite goldens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the goldens from the slow reference, then compare")


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--bless"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public inputs, which is not part of this project; see README.md there."""
    place = os.environ.get("FLAMEPARSE_CORPUS")
    if not place:
        pytest.skip("FLAMEPARSE_CORPUS is not set: the public corpus is not compared")
    return Path(place)
