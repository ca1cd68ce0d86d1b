"""The work of many run files on many machines: Dask's workers, or job arrays of a batch system."""
