"""Raw files of the n_TOF facility at CERN (``.raw``, ``.raw.finished``)."""
