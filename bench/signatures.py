"""What a signature costs, suite by suite: made, verified singly, verified in batches, and verified by the reference.

    RAYON_NUM_THREADS=1 .venv/bin/python -m bench.signatures [--rounds 20]

Prints the median of the rounds, in which the ways take turns: a busy machine disturbs them alike. With one thread the figures are those
of one core; batches use all cores otherwise.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from yunhe.crypto import PrivateKey, SignedItem, invalid_signatures, suite_names
from yunhe.verifier import SUITES

MESSAGE_BYTES = 56
"""As long as the message that a transaction's signature covers."""
BATCHES = (4, 16, 64, 256)
REFERENCE_ITEMS = 4


def ways(name: str) -> Iterator[tuple[str, int, Callable[[], object]]]:
    """Yield each way to spend time on signatures of a suite: what it is, of how many signatures, and the work."""
    keys = [PrivateKey.generate(name) for _ in range(max(BATCHES))]
    messages = [number.to_bytes(MESSAGE_BYTES, "big") for number in range(len(keys))]
    items = [SignedItem(name, key.public_key.raw, message, key.sign(message)) for key, message in zip(keys, messages, strict=True)]
    if invalid_signatures(items):
        raise SystemExit(f"{name}: a signature that was just made does not verify")
    spoilt = [SignedItem(name, items[1].public_key, items[0].message, items[0].signature), *items[1:]]
    yield "sign", len(keys), lambda: [key.sign(message) for key, message in zip(keys, messages, strict=True)]
    yield "verify singly", len(items), lambda: [invalid_signatures([item]) for item in items]
    for size in BATCHES:
        yield f"verify in a batch of {size}", size, lambda size=size: invalid_signatures(items[:size])  # type: ignore[misc]
    yield f"verify in a batch of {len(spoilt)}, one invalid", len(spoilt), lambda: invalid_signatures(spoilt)
    yield (
        "verify by the reference",
        REFERENCE_ITEMS,
        lambda: [SUITES[name](item.public_key, item.message, item.signature) for item in items[:REFERENCE_ITEMS]],
    )


def main() -> None:
    """Measure as the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    for name in suite_names():
        measured = list(ways(name))
        times: dict[str, list[float]] = {way: [] for way, _, _ in measured}
        for _ in range(options.rounds):
            for way, count, work in measured:
                begun = time.perf_counter_ns()
                work()
                times[way].append((time.perf_counter_ns() - begun) / 1000 / count)
        for way, spent in times.items():
            sys.stdout.write(f"{name:<16} {way:<36} {statistics.median(spent):8.1f} us\n")


if __name__ == "__main__":
    main()
