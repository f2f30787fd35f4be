"""A witness: somebody outside of the certifier set who follows a network, runs every block again and cosigns what was right.

Specification: docs/spec/witness.md.
"""

from yunhe.witness.folder import NewWitness, WatchedNode, WitnessFolder, make_witness_folder
from yunhe.witness.following import Followed, Witness
from yunhe.witness.service import serve_witness

__all__ = ["Followed", "NewWitness", "WatchedNode", "Witness", "WitnessFolder", "make_witness_folder", "serve_witness"]
