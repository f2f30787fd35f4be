"""The home of a node's CometBFT process, as the node's settings and the genesis have it."""

from collections.abc import Callable, Mapping
from typing import Final

from yunhe.consensus.cometbft import configuration
from yunhe.consensus.cometbft.configuration import EnginePeer, EngineSettings, EngineValidator, write_settings
from yunhe.consensus.cometbft.program import find_program
from yunhe.consensus.cometbft.supervision import EngineSupervisor
from yunhe.errors import EngineFailedError, EngineFilesError
from yunhe.ledger.genesis import Genesis
from yunhe.node.config import NodeConfig
from yunhe.node.folder import NodeFolder

ENGINE_FOLDER: Final = "engine"
ENGINE_LOG: Final = "log/engine.log"


def engine_settings(config: NodeConfig) -> EngineSettings:
    """Return the settings of a node's engine.

    Raises:
        EngineFilesError: a setting names no peer.
    """
    peers = tuple(EnginePeer.parse(peer.strip()) for peer in config.engine_peers.split(",") if peer.strip())
    return EngineSettings(f"{config.organisation}.{config.node}", config.engine_listen, peers)


def engine_genesis(genesis: Genesis) -> str:
    """Return the engine's genesis file of a network."""
    validators = [EngineValidator(validator.organisation, validator.public_key, validator.power) for validator in genesis.validators]
    return configuration.engine_genesis(genesis.network_id, genesis.time_ms, validators, genesis.protocol_version)


def prepare_engine(
    folder: NodeFolder,
    environment: Mapping[str, str],
    on_halted: Callable[[EngineFailedError], None],
    is_key_due: Callable[[], bool] = lambda: False,
) -> EngineSupervisor:
    """Write the settings of a node's engine, and return what runs it; nothing runs yet.

    Args:
        folder: of a node whose genesis has validators.
        environment: may name the program.
        on_halted: told, from a thread of its own, that the engine stands still for good.
        is_key_due: tells before each start whether the engine has to change to the key that was made for it.

    Raises:
        EngineMissingError: the program is not on this machine.
        EngineVersionError: it is another version.
        EngineFilesError: the home cannot be used, or is another network's.
    """
    program = find_program(environment)
    home = folder.path / ENGINE_FOLDER
    configuration.check_home(home)
    check_engine_genesis(folder)
    write_settings(home, engine_settings(folder.config))

    def before_start() -> None:
        if is_key_due():
            try:
                configuration.install_next_key(home)
            except OSError as error:
                raise EngineFailedError(f"the engine cannot change to its next key: {error.strerror}; see to {home}") from error

    return EngineSupervisor(program, home, folder.path / ENGINE_LOG, on_halted, before_start=before_start)


def check_engine_genesis(folder: NodeFolder) -> None:
    """Check that the engine of a node is of the node's network.

    Raises:
        EngineFilesError: it is not.
    """
    home = folder.path / ENGINE_FOLDER
    # NET-003
    if (home / configuration.GENESIS_FILE).read_text(encoding="utf-8") != engine_genesis(folder.genesis):
        raise EngineFilesError(
            f"{home / configuration.GENESIS_FILE} is not what the network's genesis says; put back the file that was there"
        )
