"""Engines: they order envelopes into blocks and know nothing of what is inside."""

from yunhe.consensus.engine import Application, Committed, Delivery, Engine, Viable, block_time_ms
from yunhe.consensus.solo import SoloEngine

__all__ = ["Application", "Committed", "Delivery", "Engine", "SoloEngine", "Viable", "block_time_ms"]
