"""The domain of a model: what pulses it has seen, and whether others are like them."""

from discrimen.network.domain.domain import Domain, HeightRange, Outside
from discrimen.network.domain.learn import has_domain, learn_domain
from discrimen.network.domain.measure import outside
from discrimen.network.domain.tally import OutsideTally, exceeds

__all__ = ["Domain", "HeightRange", "Outside", "OutsideTally", "exceeds", "has_domain", "learn_domain", "outside"]
