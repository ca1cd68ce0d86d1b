"""Networks that were trained elsewhere: read as data, described, checked against their own runtime."""

from discrimen.adoption.adopt import Adoption, Task, adopt
from discrimen.adoption.network_file import input_length
from discrimen.adoption.promises import Promise, parse_promise

__all__ = ["Adoption", "Promise", "Task", "adopt", "input_length", "parse_promise"]
