"""Files that are none of ours, recognised by how they begin: what they are, and what reads them."""

from __future__ import annotations

import re

_SAVE = "save the waveforms as a NumPy array (.npy, one pulse a row) and read that"
_RECIPE = "docs/recipes-formats.md has the recipe"

_FOREIGN: tuple[tuple[str, str, str], ...] = (
    (
        r"DRS[013-9]|TIME[BC]|EHDR",
        "a file of a DRS4 board of another version than DRSOsc 5 writes (DRS2)",
        f"write it again with DRSOsc 5, or {_SAVE}",
    ),
    (r"(?s).{0,11}WAVEDESC", "a LeCroy oscilloscope waveform (.trc)", f"lecroyparser reads it; {_RECIPE}"),
    (
        r"(?s)[\x0f\xf0]{2}:WFM#",
        "a Tektronix oscilloscope waveform (.wfm)",
        f"RigolWFM or tm_data_types read it; {_RECIPE}",
    ),
    (r"AG[0-9]{2}", "a Keysight oscilloscope waveform (.bin)", f"RigolWFM or wavebin read it; {_RECIPE}"),
    (r"(?s)\xa5\xa5.\x00|RG01", "a Rigol oscilloscope waveform", f"RigolWFM reads it; {_RECIPE}"),
    (r"(?s).{4}FlashCamV", "a FlashCam run (.fcio)", f"legend-daq2lh5 makes LH5 of it; {_RECIPE}"),
    (r"(?s).{8}<\?xml", "an ORCA run (.orca)", f"legend-daq2lh5 makes LH5 of it; {_RECIPE}"),
    (r"LArI", "a run of LLAMA (SIS3316, .bin)", f"legend-daq2lh5 makes LH5 of it; {_RECIPE}"),
    (r"MATLAB 5.0 MAT", "a MATLAB file (.mat)", f"scipy.io.loadmat reads it; {_SAVE}"),
    (r"PAR1", "a Parquet table", f"pyarrow reads it; {_SAVE}"),
    (r"ARROW1|FEA1", "an Arrow table", f"pyarrow reads it; {_SAVE}"),
    (r"SQLite format 3", "a SQLite data base", f"sqlite3 reads it; {_SAVE}"),
    (r"RIFF(?s:.{4})WAVE", "a sound file (.wav)", f"scipy.io.wavfile reads it; {_SAVE}"),
    (r"\x80[\x02-\x05]", "a Python pickle", f"it is code and is never opened here; {_SAVE}"),
    (r"DISCRIM\x00", "a frozen model of discrimen", "it is no run file: give it as the model"),
    (r"\x89PNG|%PDF|GIF8|\xff\xd8\xff", "a picture", "give the run that it shows"),
    (
        r"<\?xml|<configuration",
        "an XML file",
        "give the run that it describes; settings are found beside it or by --companion",
    ),
)
"""Pattern of the first bytes, what the file is, and the way out."""


def name_foreign(head: bytes) -> str | None:
    """Say what a file that begins with these bytes is, and what to do; None if it is nothing known."""
    text = head[:64].decode("latin-1")
    for pattern, what, way_out in _FOREIGN:
        if re.match(pattern, text):
            return f"this is {what}, which is not read here: {way_out}"
    return None
