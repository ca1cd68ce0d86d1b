from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

def read_records(
    text: bytes,
    prefixes: Sequence[bytes],
    field_end: str,
    separator: str,
    fields: NDArray[Any],
    numbers: NDArray[Any],
) -> int: ...
