import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.network.networks import NETWORKS

from discrimen.errors import SettingsError
from discrimen.freezing.batch_norm import folded
from discrimen.freezing.from_keras import drafted
from discrimen.freezing.to_keras import keras_model_of
from discrimen.network.graph import run
from discrimen.network.layers import Attention, Sample

WITHOUT_COUNTERPART = (Attention, Sample)


@pytest.fixture(scope="module")
def session():
    from discrimen.keras_jax import load_keras

    return load_keras("cpu")


@pytest.mark.parametrize("name", NETWORKS)
def test_model_of_a_network_is_read_back_as_one_that_computes_the_same(name, session):
    network, description = NETWORKS[name]()
    if any(isinstance(node.layer, WITHOUT_COUNTERPART) for node in network.nodes):
        with pytest.raises(SettingsError, match="has no counterpart in Keras"):
            keras_model_of(network, description.preparation.shape, description.outputs, session)
        return
    model = keras_model_of(network, description.preparation.shape, description.outputs, session)
    draft, values = drafted(model, description.preparation)
    again = draft.network(folded(draft, values))
    waveforms = np.random.default_rng(1).normal(size=(5, *description.preparation.shape))
    for output, values, found in zip(description.outputs, run(network, waveforms), run(again, waveforms), strict=True):
        wanted = output.finish(values)
        assert_allclose(found, wanted, atol=1e-5 * max(1, np.abs(wanted).max()))
