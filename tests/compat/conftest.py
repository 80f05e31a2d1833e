"""The hosts of the contract suite, for brokers of older versions."""

from tests.contract.conftest import serve

__all__ = ["serve"]
