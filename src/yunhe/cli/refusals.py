"""What the codes of receipts mean: a receipt holds a code, and people want a sentence, and what to do.

Explained are the codes of the runtime and of the system contracts. Other contracts declare codes that only their authors can explain.
"""

from typing import Final

from yunhe.ledger.layouts import SYSTEM_CONTRACTS

MEANINGS: Final = {
    "ALREADY_DECIDED": "The proposal is not open any more; `yunhe org proposal NUMBER` shows how it ended.",
    "ALREADY_EXISTS": "It is on the ledger already, and an organisation's key belongs to one member for ever.",
    "ALREADY_REVOKED": "The key was revoked before, and a revocation is for ever.",
    "ALREADY_VOTED": "Your organisation has voted on this proposal, which it can do once.",
    "BY_VOTE_ONLY": "Only an accepted proposal does this; `yunhe org` and `yunhe contract` make proposals.",
    "DIRECT_CALL_ONLY": "A transaction has to call this itself; another contract cannot do it in somebody's name.",
    "ENGINE_KEY_INVALID": "The bytes are no Ed25519 key; an engine votes with one, whatever suites the ledger allows.",
    "ENGINE_KEY_MISSING": "Whoever certifies here votes on blocks too; `yunhe org validator` proposes both keys.",
    "ENGINE_KEY_USED": "Another organisation's engine has this key; each engine has a key of its own.",
    "IS_CERTIFIER": "The organisation certifies the ledger; it can be suspended after a vote has removed it as certifier.",
    "KEY_DOES_NOT_FIT_SUITE": "The bytes are no public key of the signature suite.",
    "LAST_ADMIN": "The organisation would have no admin left who could act for it; give another member the role and a key first.",
    "LAST_CERTIFIER": "Without a certifier nobody could prove anything of the ledger any more.",
    "LAST_NODE": "Without an active node nothing would be decided any more.",
    "LAST_ORGANISATION": "Without an active organisation nobody could vote any more.",
    "MEMBER_NOT_FOUND": "Your organisation has no such member; `yunhe org show ORGANISATION` lists its members.",
    "NAME_TAKEN": "A contract has this name, and keeps it even when it is retired; `yunhe contract upgrade` gives a deployed one new code.",
    "NOT_AN_ACTIVE_ORGANISATION": "Only an organisation that is enrolled and not suspended can certify.",
    "NOT_A_CERTIFIER": "The organisation is no certifier; `yunhe org rules` lists them.",
    "NOT_A_NAME": "A name is written with a-z, 0-9 and _, begins with a letter and has at most 40 characters.",
    "NOT_FOUND": "It is not on the ledger; look for the right name, number or key.",
    "NOT_THE_PROPOSER": "Only the organisation that made a proposal can withdraw it; others vote against it.",
    "NO_NODE": "The organisation has no active node; its admin enrols one with `yunhe org enrol-node`.",
    "NO_PROTOCOL_AHEAD": "No version of the ledger's rules is still to come; `yunhe org rules` shows which one counts.",
    "NO_QUORUM": (
        "Until the new engine votes, the others would not have more than two thirds of the power; give it less, or raise theirs first with "
        "`yunhe org power`."
    ),
    "NO_VALIDATORS": "Here one node orders its own envelopes and nobody votes on blocks; `yunhe org certifier` needs no engine key.",
    "NOT_A_HASH": "A hash has 32 bytes.",
    "NOT_THE_NEXT_PROTOCOL": "Versions of the ledger's rules come one after the other; `yunhe org rules` shows the newest.",
    "OPERATION_UNKNOWN": "A contract can be frozen, unfrozen and retired.",
    "PARAMETER_OUT_OF_RANGE": "A ledger could not work with this value; `yunhe org rules` shows the bounds.",
    "PARAMETER_UNKNOWN": "There is no such parameter; `yunhe org rules` lists them.",
    "POWER_OUT_OF_RANGE": "A certifier's power is from 1 to 1,000,000.",
    "PROTOCOL_AHEAD": "A version of the ledger's rules was voted and is still to come; `yunhe org rules` shows from which block on.",
    "PROTOCOL_TOO_SOON": "The first block of a version is at least 10 blocks after the deciding vote.",
    "RELEASE_MISSING": "The proposal names the release that knows the version, in 1 to 40 characters.",
    "RETIRED": "The contract was retired by vote, which is for ever.",
    "ROLES_NOT_SORTED": "Roles are given in order of the alphabet, each once.",
    "ROLE_REQUIRED": "Only a member with the role admin can do this for its organisation, or in part the member that it is about.",
    "SOURCE_NOT_FOUND": "No source with this code hash was submitted; `yunhe contract deploy` submits it first.",
    "SOURCE_REFUSED": "The source is no contract; `yunhe contract check` says why.",
    "SUITE_ALLOWED_ALREADY": "The ledger allows this signature suite already.",
    "SUITE_NOT_ALLOWED": "The ledger does not allow this signature suite; `yunhe org suite` proposes to.",
    "SUITE_UNKNOWN_HERE": "The node's version does not know this signature suite.",
    "SYSTEM_CONTRACT": "The contracts that every ledger has cannot be changed by such a vote.",
    "TITLE_LENGTH": "A title has 1 to 200 characters.",
    "TOO_MANY_CERTIFIERS": "A ledger has at most 256 certifiers.",
    "TOO_MANY_ORGANISATIONS": "A ledger has at most 2,000 organisations.",
    "TOO_MANY_ROLES": "A member has at most 32 roles.",
    "TOO_MUCH_POWER": "Of three and more validators none may have more than half of the power.",
    "UNCHANGED": "It is as proposed already.",
}
"""Code of a refusal by a system contract to what it means."""


_REPLAY: Final = "`yunhe tx replay ID --folder DIR` shows where, on the machine of a node"

RUNTIME_MEANINGS: Final = {
    "ACTION_NOT_FOUND": "The contract has no such action; `yunhe contract show` lists what it has.",
    "ARGUMENTS_INVALID": "An argument is missing, unknown or of another type; `yunhe contract show` lists them.",
    "BLOCK_GAS_USED_UP": "Earlier transactions of the block used all its gas; send it again.",
    "BLOCK_SOURCES_USED_UP": "Earlier transactions of the block had as much source checked as one block can; send it again.",
    "CALL_DEPTH": "Contracts called each other too deeply.",
    "CONTRACT_FAULT": f"The contract itself has a mistake; {_REPLAY}.",
    "CONTRACT_FROZEN": "The contract was frozen by vote; its views still answer.",
    "CONTRACT_NOT_FOUND": "No contract of this name was deployed; `yunhe contract list` lists them.",
    "CONTRACT_RETIRED": "The contract was retired by vote, which is for ever; its views still answer.",
    "GAS_LIMIT_TOO_HIGH": "The gas limit is above what a transaction may ask for; `yunhe org rules` shows it as gas_limit_max.",
    "INDEX_TOO_LARGE": "An index that the new source declares or drops has more rows than one transaction can change.",
    "INTEGER_OUT_OF_RANGE": f"An integer became larger than contracts can hold; {_REPLAY}.",
    "KEY_REVOKED": "The key was revoked before the transaction came to its block.",
    "MEMBER_SUSPENDED": "The member was suspended before the transaction came to its block.",
    "MIGRATION_UNCHANGED": "The new source has the migration of the deployed one, which must not run again; delete it or write another.",
    "NOT_ENROLLED": "The signer is not enrolled; `yunhe org enrol` enrols a member, `yunhe org admit` proposes an organisation.",
    "ORGANISATION_SUSPENDED": "The organisation was suspended before the transaction came to its block.",
    "OUT_OF_GAS": "The gas limit was used up; give more with --gas-limit, or see with `yunhe contract profile --tx ID` where it goes.",
    "OUT_OF_MEMORY": f"The call needed more memory than a contract may use; {_REPLAY}.",
    "REENTRANT_CALL": "A contract was called while it was running.",
    "SCAN_TOO_LONG": "A scan without a limit met more rows than one can return; the contract has to scan in pages.",
    "SKIPPED_BY_ORDER": "No node could execute it, and the organisations ordered to pass over it; it had no effect.",
    "UPGRADE_LOSES_DATA": "The new source could not read what is stored; `yunhe contract upgrade` names the field.",
    "VALUE_TOO_LARGE": f"A record, key, event, argument or result is too large, or there are too many events; {_REPLAY}.",
    "VIEW_WRITES": "A view tried to write, to emit or to call an action.",
}
"""Code of the runtime to what it means; every one but `OK`."""


def meaning(contract: str, code: str) -> str:
    """Return what the code of a receipt means; nothing for a code that only the contract's author can explain."""
    # A contract cannot refuse with a code of the runtime.
    return RUNTIME_MEANINGS.get(code) or (MEANINGS.get(code, "") if contract in SYSTEM_CONTRACTS else "")
