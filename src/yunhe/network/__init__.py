"""A whole network on one machine: its folder, its processes, and how it is."""

from yunhe.network.folder import LocalNode, NetworkFolder
from yunhe.network.making import NetworkPlan, make_network

__all__ = ["LocalNode", "NetworkFolder", "NetworkPlan", "make_network"]
