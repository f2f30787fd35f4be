"""What processes use: processor time, memory, disk; read from /proc."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 2**20


def family(root: int) -> dict[int, str]:
    """Return a node's process and those below it, each with a name."""
    found = {root: "node"}
    for _ in range(3):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in found and _parent(entry) in found:
                found[int(entry.name)] = f"worker {len(found)}"
    return found


def process_name(pid: int) -> str:
    """Return the name of a process's program; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used, seconds."""
    fields = _stat(Path(f"/proc/{pid}"))
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mib(pid: int) -> tuple[float, float]:
    """Return the memory that a process holds now, and the most that it has held, MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return int(values["VmRSS"].split()[0]) / 1024, int(values["VmHWM"].split()[0]) / 1024


def folder_mib(folder: Path) -> float:
    """Return what a folder holds on disk, MiB."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / _MIB


def _stat(process: Path) -> list[str]:
    """Return the fields of a process after its name, which may hold anything."""
    return (process / "stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()


def _parent(process: Path) -> int:
    try:
        return int(_stat(process)[1])
    except OSError:
        # The process has ended meanwhile.
        return 0
