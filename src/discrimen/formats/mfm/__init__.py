"""Files of GANIL's acquisition (MFM, MultiFrame Metaformat) with the frames of NEDA."""
