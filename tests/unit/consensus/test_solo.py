"""The solo engine fulfils the obligations of docs/spec/engine.md."""

from tests.conformance.engine import EngineConformance
from yunhe.consensus import SoloEngine


class TestSoloEngine(EngineConformance):
    make_engine = SoloEngine
