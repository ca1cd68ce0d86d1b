"""Errors carry where and how to mend."""

from __future__ import annotations

import pytest

from discrimen.errors import DiscrimenError, FormatError, MissingExtraError, require_module


def test_format_error_names_file_and_offset() -> None:
    error = FormatError("expected 24 bytes, got 3", "run.BIN", 48)
    assert str(error) == "run.BIN, byte 48: expected 24 bytes, got 3"
    assert isinstance(error, DiscrimenError)


def test_missing_extra_is_one_line_that_names_it() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'discrimen\[onnx\]'"):
        require_module("no_such_module_at_all", extra="onnx")


def test_present_module_is_returned() -> None:
    assert require_module("json", extra="none").dumps([1]) == "[1]"
