from pathlib import Path

import numpy as np
import pytest

from discrimen.freezing.batch_norm import folded
from discrimen.freezing.onnx_import import read_onnx
from discrimen.network.graph import run
from discrimen.network.preparation import one_channel

GOLDEN = Path(__file__).parent / "golden"


def preparation(n_samples=32):
    return one_channel(
        sample_period_ns=4, polarity=1, baseline_start=0, baseline_stop=0, window_length=n_samples, scale="none"
    )


def computed(found, values):
    """Compute a network on prepared values in the layout of the ONNX file, in float64."""
    waveforms = values.reshape(len(values), 1, -1).astype(np.float64)
    network = found.draft.network(folded(found.draft, [output.value for output in found.outputs]))
    results = run(network, waveforms)
    return [result.reshape(len(values), *output.shape) for output, result in zip(found.outputs, results, strict=True)]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.onnx")), ids=lambda path: path.stem)
def test_files_of_other_libraries_compute_what_those_libraries_gave(path):
    found = read_onnx(path, preparation())
    with np.load(path.with_suffix(".npz")) as golden:
        values = golden["input"]
        wanted = next(golden[name] for name in golden.files if name != "input")
    (scores,) = computed(found, values)
    if found.outputs[0].logarithm:
        scores = np.log(scores)
    np.testing.assert_allclose(scores, wanted, atol=2e-6, rtol=2e-5)
