"""How anything is written: atomic files, HDF5, provenance, pages and their frame, the style of pictures."""
