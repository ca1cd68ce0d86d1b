"""A frozen model as one C++17 header: the engine's own sources with the frozen file in them."""

from discrimen.network.export.cpp.header import CPP_SUFFIX, WrittenHeader, write_cpp_header
from discrimen.network.export.cpp.namespaces import check_namespace, namespace_of

__all__ = ["CPP_SUFFIX", "WrittenHeader", "check_namespace", "namespace_of", "write_cpp_header"]
