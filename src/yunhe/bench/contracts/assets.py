"""Assets of a fixed size, for the workloads `create-100B` and `update-100B`: one record of 100 bytes written, or read and written."""

from yunhe.contracts import Context, Record, Table, action, require, view

CREATED_AT_ONCE_MAX = 2000
CONTENT_BYTES = 100


class Asset(Record):
    asset_id: int
    version: int
    content: bytes


assets: Table[Asset] = Table(key="asset_id")


@action
def create(ctx: Context, asset_id: int, content: bytes) -> None:
    require(len(content) == CONTENT_BYTES, "WRONG_SIZE")
    assets.add(Asset(asset_id=asset_id, version=1, content=content))


@action
def create_many(ctx: Context, first: int, count: int, content: bytes) -> None:
    require(0 < count <= CREATED_AT_ONCE_MAX, "TOO_MANY")
    require(len(content) == CONTENT_BYTES, "WRONG_SIZE")
    for asset_id in range(first, first + count):
        assets.add(Asset(asset_id=asset_id, version=1, content=content))


@action
def update(ctx: Context, asset_id: int, content: bytes) -> None:
    require(len(content) == CONTENT_BYTES, "WRONG_SIZE")
    asset = assets[asset_id]
    asset.version += 1
    asset.content = content
    assets.save(asset)


@view
def version(ctx: Context, asset_id: int) -> int:
    return assets[asset_id].version
