"""The whole path on a simulated run."""
