"""One node: store, workers and engine joined together, and the folder that it lives in."""

from yunhe.node.backup import back_up, restore
from yunhe.node.certification import ProofSubjectRequest
from yunhe.node.config import NodeConfig, load_config
from yunhe.node.events import EventFeed, EventFilter, EventPlace, EventRead, PlacedEvent
from yunhe.node.folder import NodeFolder, is_node_folder
from yunhe.node.founding import NewNetwork, make_node_folder
from yunhe.node.node import Node, NodeStatus, check_ledger
from yunhe.node.pending import Placed
from yunhe.node.profile import Profile, profile
from yunhe.node.pruning import prune
from yunhe.node.replay import PastTransaction, PlainReplay, Replayed, past_transaction
from yunhe.node.simulation import Simulated
from yunhe.node.source_folder import SourceFolder

__all__ = [
    "EventFeed",
    "EventFilter",
    "EventPlace",
    "EventRead",
    "NewNetwork",
    "Node",
    "NodeConfig",
    "NodeFolder",
    "NodeStatus",
    "PastTransaction",
    "Placed",
    "PlacedEvent",
    "PlainReplay",
    "Profile",
    "ProofSubjectRequest",
    "Replayed",
    "Simulated",
    "SourceFolder",
    "back_up",
    "check_ledger",
    "is_node_folder",
    "load_config",
    "make_node_folder",
    "past_transaction",
    "profile",
    "prune",
    "restore",
]
