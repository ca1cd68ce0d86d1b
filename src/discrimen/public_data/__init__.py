"""Public data sets of neutron and gamma pulses: a table of them, fetched with checksums, turned into native files."""

from discrimen.public_data.convert import Conversion, convert_set
from discrimen.public_data.fetch import Fetched, fetch_set
from discrimen.public_data.table import PUBLIC_SETS, PublicSet, find_set

__all__ = ["PUBLIC_SETS", "Conversion", "Fetched", "PublicSet", "convert_set", "fetch_set", "find_set"]
