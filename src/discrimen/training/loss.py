"""Losses for labels that may be wrong.

Forward correction (G. Patrini et al., IEEE Conf. Comput. Vis. Pattern Recognit. (2017) 1944): the network's
probabilities of the true classes are turned into those of the labels, and these are compared with the labels. What the
network gives in the end is the probability of the true class, at the ratio of the true classes in the training pulses.

It is right where a label depends on the pulse through its class alone: accidental coincidences, gammas of a mixed
source. It is not right for labels that go wrong where the classes look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.labelling.contamination import LABELLED, NAMES, check_contamination
from discrimen.training.examples import Examples

HARD_LOSS = "sparse_categorical_crossentropy"
SOFT_LOSS = "categorical_crossentropy"

Loss = str | Callable[[Any, Any], Any]


def label_probabilities(
    contamination: Mapping[str, float], *, label_shares: Sequence[float] | NDArray[Any]
) -> NDArray[np.float64]:
    """Return the probability of each label given the true class.

    Contamination is the other way round: the share of each true class given the label. With the shares of the labels
    it gives the joint probabilities P(truth, label) = P(truth | label) P(label), whose sums over the labels are the
    shares of the true classes, by which they are divided.

    Parameters
    ----------
    contamination : mapping of str to float
        See :func:`~discrimen.labelling.contamination.check_contamination`.
    label_shares : sequence of float, shape (label,)
        Share of each label among the pulses, gamma first; weights or counts will do.

    Returns
    -------
    ndarray of float64, shape (true class, label)
        Rows add up to 1.

    Raises
    ------
    SettingsError
        If the contamination does not fit, or a label does not occur.
    """
    checked = check_contamination(contamination)
    shares = np.asarray(label_shares, np.float64)
    if shares.shape != (len(NAMES),) or not (np.isfinite(shares) & (shares > 0)).all():
        raise SettingsError(f"the correction for wrong labels needs pulses of both labels, got {shares.tolist()}")
    wrong = np.array([checked[name] for name in NAMES])
    truth_of_label = np.stack([[1 - wrong[0], wrong[1]], [wrong[0], 1 - wrong[1]]])  # (truth, label)
    joint = truth_of_label * (shares / shares.sum())
    probabilities: NDArray[np.float64] = joint / joint.sum(axis=1, keepdims=True)
    return probabilities


def corrected_loss(keras: ModuleType, probabilities: NDArray[np.float64]) -> Callable[[Any, Any], Any]:
    """Return the forward-corrected cross-entropy of integer labels.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    probabilities : ndarray, shape (true class, label)
        From :func:`label_probabilities`.

    Returns
    -------
    callable
        ``loss(labels, scores)`` in nats for each pulse; scores are probabilities of the true classes, shape
        (pulse, class). Its least value is the entropy of the labels given the pulse, above 0 for any network.
    """
    constant = probabilities.astype(np.float32)

    def forward_corrected(labels: Any, scores: Any) -> Any:
        of_labels = keras.ops.matmul(scores, keras.ops.convert_to_tensor(constant))
        return keras.losses.sparse_categorical_crossentropy(labels, of_labels)

    return forward_corrected


def loss_of(keras: ModuleType, examples: Examples, *, contamination: Mapping[str, float] | None) -> Loss:
    """Choose the loss: soft labels where the examples have them, corrected where labels are contaminated.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    examples : Examples
        Trained on; their targets are labels, shape (example,), or probabilities, shape (example, class).
    contamination : mapping of str to float, optional
        See :func:`label_probabilities`.

    Raises
    ------
    SettingsError
        If both are there: soft labels know already how sure each label is.
    """
    if examples.targets.ndim == 2:
        if contamination is not None and any(contamination.values()):
            raise SettingsError(
                "the pulses carry soft labels (column neutron_probability), which know already how sure each label is: "
                "leave out the contamination, or the soft labels"
            )
        return SOFT_LOSS
    if contamination is None or not any(contamination.values()):
        return HARD_LOSS
    counts = [examples.count(label) for label in LABELLED]
    return corrected_loss(keras, label_probabilities(contamination, label_shares=counts))
