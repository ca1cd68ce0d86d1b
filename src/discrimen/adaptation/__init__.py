"""Adaptation: a trained model to another channel, detector or gain, and what tells that a run has drifted."""
