"""`yunhe bench`: measure a node on this machine."""

from typing import Annotated, Any

import typer

from yunhe.bench.workloads import WORKLOADS
from yunhe.cli.output import output
from yunhe.crypto import ED25519_SHA256, SHA256, chain_hash, chain_hash_names, suite_names
from yunhe.crypto import suite as signature_suite
from yunhe.errors import UsageError
from yunhe.limits import NETWORK_NODES_MAX
from yunhe.sdk.signals import ended_by_signals


def bench(  # noqa: PLR0913, PLR0917  # one for each option
    workload: Annotated[str, typer.Argument(help=f"What is sent: {', '.join(WORKLOADS)}.")] = "transfer",
    rate: Annotated[
        float | None, typer.Option("--rate", min=0.1, help="Open loop: so many transactions a second are sent, whatever the node does.")
    ] = None,
    connections: Annotated[int, typer.Option("--connections", min=1, help="Closed loop: so many wait for an answer each.")] = 4,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Transactions of one request; 1 sends them singly.")] = 100,
    records: Annotated[int, typer.Option("--records", min=2, help="Records that there are when the load begins.")] = 100_000,
    hot: Annotated[int, typer.Option("--hot", min=0, help="Send all calls to so many of the records; 0 to all, uniformly.")] = 0,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long the load runs.")] = 15.0,
    suite: Annotated[str, typer.Option("--suite", help=f"Signature suite ({', '.join(suite_names())}).")] = ED25519_SHA256.name,
    hash_name: Annotated[str, typer.Option("--chain-hash", help=f"The ledger's hash ({', '.join(chain_hash_names())}).")] = SHA256.name,
    overload: Annotated[
        float, typer.Option("--overload", min=0, help="Afterwards offer three times what was committed for so many seconds.")
    ] = 0.0,
    kill: Annotated[
        float, typer.Option("--kill", min=0, help="In a network, kill one node in the middle of so many further seconds of load.")
    ] = 0.0,
    idle: Annotated[float, typer.Option("--idle", min=0, help="Watch the node so many seconds without load afterwards.")] = 0.0,
    network: Annotated[
        int, typer.Option("--network", min=1, max=NETWORK_NODES_MAX, help="So many organisations agree, each with a node on this machine.")
    ] = 1,
    *,
    restart: Annotated[bool, typer.Option("--restart", help="Stop and start the node at the end, and say how long that took.")] = False,
) -> None:
    """Measure a fresh node in its own processes over HTTP, the load on the same machine, every signature distinct, fsync on.

    Latency is from submission to durable commit; in the open loop it counts from the time that was scheduled. The node's folder is in the
    folder for temporary files (TMPDIR) and is deleted at the end: put it on the disk that is to be measured.
    """
    chosen = WORKLOADS.get(workload)
    if chosen is None:
        raise UsageError(f"the workload {workload!r} is unknown; there are {', '.join(WORKLOADS)}")
    # The load generator needs what only nodes need, and is not everywhere.
    from yunhe.bench.load import Load  # noqa: PLC0415
    from yunhe.bench.run import Options, run_benchmark  # noqa: PLC0415

    load = Load(seconds, batch, connections, rate)
    options = Options(
        chosen,
        load,
        records,
        hot,
        signature_suite(suite).name,
        chain_hash(hash_name).name,
        overload_s=overload,
        kill_s=kill,
        idle_s=idle,
        restart=restart,
        organisations=network,
    )
    with ended_by_signals():
        figures = run_benchmark(options, output.progress)
    output.result(figures, _account(figures))


def _account(figures: dict[str, Any]) -> str:
    how = f"{figures['offered_per_s']:g} tx/s offered" if figures["offered_per_s"] else f"{figures['connections']} connections"
    where = f"{figures['records']} records" + (f", {figures['hot']} hot" if figures["hot"] else "")
    lines = [
        f"{figures['workload']}  {how}, batches of {figures['batch']}, {where}, {figures['seconds']:g} s, "
        f"{figures['suite']}, {figures['chain_hash']}"
        + (f", {figures['organisations']} organisations" if figures["organisations"] > 1 else ""),
        f"committed      {figures['committed_per_s']} tx/s ({figures['committed']}"
        + (f", {figures['late']} more after the time" if figures["late"] else "")
        + ")",
        f"latency        p50 {figures['p50_ms']} ms, p95 {figures['p95_ms']} ms, p99 {figures['p99_ms']} ms",
        f"refused        {_by_name(figures['refused']) or 'none'}",
        f"cores used     {_by_name(figures['cores_used'])}",
        f"memory, MiB    {_by_name(figures['memory_mib'])}; at most {_by_name(figures['memory_peak_mib'])}",
        f"disk           {figures['disk_mib']} MiB",
    ]
    if "overload" in figures:
        over = figures["overload"]
        lines.append(
            f"overload       {over['offered_per_s']} tx/s offered for {over['seconds']:g} s: {over['committed_per_s']} tx/s committed, "
            f"{over['of_peak']} of the above; refused {_by_name(over['refused']) or 'none'}; "
            f"node's memory by quarters, MiB, {', '.join(map(str, over['memory_mib']))}"
        )
    if "loss" in figures:
        lines.append(f"node killed    {_loss(figures['loss'])}")
    if "idle_cores" in figures:
        lines.append(f"without load   {_by_name(figures['idle_cores'])} cores")
    if "restart_s" in figures:
        lines.append(f"start          {figures['restart_s']} s")
    return "\n".join([*lines, f"on             {figures['machine']}, yunhe {figures['yunhe']}"])


def _loss(figures: dict[str, Any]) -> str:
    back = "not within the load" if figures["back_s"] is None else f"after {figures['back_s']} s"
    return (
        f"{figures['before_per_s']} tx/s before, {figures['after_per_s']} after; committed as before {back}, "
        f"longest pause {figures['gap_s']} s; the node at the head after {figures['head_s']} s"
    )


def _by_name(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
