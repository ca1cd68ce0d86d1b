"""A frozen model as one C++17 header that needs nothing but the standard library."""

from discrimen.network.export.cpp.header import CPP_SUFFIX, DEFAULT_NAMESPACE, write_cpp_header
from discrimen.network.export.cpp.literals import check_namespace

__all__ = ["CPP_SUFFIX", "DEFAULT_NAMESPACE", "check_namespace", "write_cpp_header"]
