"""Which pulses are shown side by side."""

from __future__ import annotations

import numpy as np

from discrimen.pulses import Label
from discrimen.pulses.side_by_side import Shown, side_by_side

SIZE = np.array([np.nan, 10.0, 20.0, 30.0, 21.0, 90.0])
LABEL = np.array([Label.GAMMA, Label.GAMMA, Label.GAMMA, Label.NEUTRON, Label.NEUTRON, Label.UNKNOWN], np.int8)


def test_a_gamma_and_a_neutron_of_the_median_size() -> None:
    assert side_by_side(SIZE, LABEL) == (Shown(2, "gamma"), Shown(4, "neutron"))


def test_one_class_alone_is_shown_alone() -> None:
    assert side_by_side(SIZE, np.where(LABEL == Label.GAMMA, LABEL, Label.UNKNOWN)) == (Shown(2, "gamma"),)


def test_without_labels_pulses_of_all_sizes_are_shown() -> None:
    assert side_by_side(SIZE) == (Shown(2, ""), Shown(3, ""))
    assert side_by_side(SIZE, np.full(6, Label.UNKNOWN), n_unlabelled=5) == tuple(
        Shown(index, "") for index in (1, 2, 4, 3, 5)
    )


def test_pulses_without_a_size_are_never_shown() -> None:
    assert side_by_side(np.full(3, np.nan)) == ()
    assert side_by_side(np.array([np.nan, 1.0])) == (Shown(1, ""),)
