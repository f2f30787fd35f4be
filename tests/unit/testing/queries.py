"""A contract with views only, one of which divides by whatever it is given."""

from yunhe.contracts import Context, view


@view
def double(ctx: Context, parts: int) -> int:
    """Return twice as much, or nothing of what is too large."""
    return 2 * parts if -1_000_000 < parts < 1_000_000 else 0


@view
def share(ctx: Context, parts: int) -> int:
    """Return what each part gets."""
    return 1_000 // parts
