"""The layers of a frozen network: what each is, the shape it makes, and its arithmetic. No Keras here.

One family a file; a layer that is written there is known by its number everywhere. The arithmetic takes the array
library as an argument: NumPy in float64 is the measure of every engine, and other libraries serve where derivatives are
wanted.
"""

# ruff: noqa: F403 (each family says what it holds)

from discrimen.network.layers.affine import *
from discrimen.network.layers.attention import *
from discrimen.network.layers.base import *
from discrimen.network.layers.joining import *
from discrimen.network.layers.neighbours import *
from discrimen.network.layers.pointwise import *
from discrimen.network.layers.pooling import *
from discrimen.network.layers.recurrent import *
from discrimen.network.layers.shaping import *
