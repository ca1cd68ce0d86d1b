from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.public_data.zenodo import FakeZenodo, serving


@pytest.fixture
def zenodo() -> Iterator[FakeZenodo]:
    with serving() as fake:
        yield fake
