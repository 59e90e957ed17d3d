"""Changes of structure: collections, spaces, field indexes, aliases, snapshots, clones, closing and opening, in turn.

Each step leaves what it found, so that the store stays as large. What a kill left half done is looked at, and removed.
"""

from collections.abc import Callable
from typing import Any

from headwater import Distance, PointStruct, VectorParams
from tests.soak.worker import Worker
from tests.soak.writers import COLLECTION

POINTS = 60


class Structure(Worker):
    """`there`: collections that were acknowledged, with how many points each must have."""

    def __init__(self, *rest: Any) -> None:
        super().__init__("structure", *rest)
        self.there: dict[str, int] = {}
        self._snapshots: set[str] = set()
        self._count = 0

    def step(self) -> None:
        kinds = (
            self._collection,
            self._space,
            self._field_index,
            self._alias,
            self._snapshot,
            self._clone,
            self._close,
        )
        kind = kinds[self._count % len(kinds)]
        self._count += 1
        kind()
        self.did[kind.__name__.strip("_")] += 1

    def compare(self) -> None:
        """What was acknowledged is there; then what a kill left is removed, so that the next step begins anew."""
        names = set(self.client.collections.list(prefix="soak-"))
        assert self.there.keys() <= names, f"lost collections: {sorted(self.there.keys() - names)}"
        for name, count in self.there.items():
            assert self.client.points.count(name) == count, name
            self.compared += count
        snapshots = {snapshot.name for snapshot in self.client.vde.list_snapshots(COLLECTION)}
        assert self._snapshots <= snapshots, f"lost snapshots: {sorted(self._snapshots - snapshots)}"
        self.there, self._snapshots = {}, set()
        for name in names:
            self.client.collections.delete(name)
        for name in snapshots:
            self.client.vde.delete_snapshot(COLLECTION, name)
        for alias in self.client.collections.list_aliases(COLLECTION):
            self.client.collections.delete_alias(alias.alias)
        info = self.client.collections.get_info(COLLECTION)
        if "extra" in info.vectors:
            self.client.collections.update(COLLECTION, drop_vectors=["extra"])
        if "n" in info.payload_schema:
            self.client.points.delete_field_index(COLLECTION, "n")

    def _name(self) -> str:
        return f"soak-{self._count}"

    def _create(self, name: str) -> None:
        self.client.collections.create(name, VectorParams(4, Distance.Dot))
        self.there[name] = 0
        points = [PointStruct(number, [number, 1, 1, 1], {"n": number}) for number in range(POINTS)]
        self._in_flight(name, lambda: self.client.points.upsert(name, points))

    def _in_flight(self, name: str, write: Callable[[], Any]) -> None:
        """While a write is under way nothing is known of its collection."""
        del self.there[name]
        write()
        self.there[name] = POINTS

    def _delete(self, name: str) -> None:
        self.there.pop(name, None)
        assert self.client.collections.delete(name)
        assert not self.client.collections.exists(name)

    def _collection(self) -> None:
        name = self._name()
        self._create(name)
        assert self.client.points.count(name) == POINTS
        self._delete(name)

    def _space(self) -> None:
        self.client.collections.update(COLLECTION, add_vectors={"extra": VectorParams(4)})
        assert "extra" in self.client.collections.get_info(COLLECTION).vectors
        self.client.collections.update(COLLECTION, drop_vectors=["extra"])

    def _field_index(self) -> None:
        self.client.points.create_field_index(COLLECTION, "n", "integer")
        assert "n" in self.client.collections.get_info(COLLECTION).payload_schema
        self.client.points.delete_field_index(COLLECTION, "n")

    def _alias(self) -> None:
        alias = f"alias-{self._count}"
        self.client.collections.create_alias(alias, COLLECTION)
        assert self.client.collections.get_info(alias).name == COLLECTION
        self.client.collections.rename_alias(alias, f"{alias}-new")
        self.client.collections.delete_alias(f"{alias}-new")

    def _snapshot(self) -> None:
        name, target = f"snapshot-{self._count}", self._name()
        self.client.vde.create_snapshot(COLLECTION, name)
        self._snapshots.add(name)
        self.client.vde.restore_snapshot(COLLECTION, name, target)
        restored = self.client.points.count(target)
        assert restored == sum(1 for _ in self.client.points.scroll_all(target))
        self.there[target] = restored
        self._snapshots.discard(name)
        self.client.vde.delete_snapshot(COLLECTION, name)
        self._delete(target)

    def _clone(self) -> None:
        target = self._name()
        self.client.vde.clone_collection(COLLECTION, target)
        self.there[target] = self.client.points.count(target)
        self._delete(target)

    def _close(self) -> None:
        name = self._name()
        self._create(name)
        self.client.vde.close(name)
        self.client.vde.open(name)
        assert self.client.points.count(name) == POINTS
        self._delete(name)
