"""A stage of a request while it is bound: where the request holds it, and the schema that its names refer to."""

from dataclasses import dataclass

from planner.errors import InvalidQuery
from planner.query import Stage
from planner.resolve.spaces import dense_space, space_of
from storage.schema import CollectionSchema, DenseSpace


@dataclass(frozen=True, slots=True)
class Asked:
    """`path` ends with a dot unless it is empty. `vector_field` is the request's name of the query vector."""

    stage: Stage
    schema: CollectionSchema
    path: str
    vector_field: str = "query.nearest"

    def space(self) -> str:
        """The stage's space. Raises SpaceNotFound or AmbiguousSpace."""
        return space_of(self.stage.using, self.schema, f"{self.path}using")

    def dense_space(self) -> tuple[str, DenseSpace]:
        """The stage's space, which must be dense. Raises InvalidQuery, SpaceNotFound or AmbiguousSpace."""
        name = self.space()
        return name, dense_space(self.schema, name, f"{self.path}using")

    def refuse_using(self, what: str) -> None:
        """Raises InvalidQuery if the stage names a space. `what` is the part of the request that needs none."""
        if self.stage.using is not None:
            raise InvalidQuery(f"{self.path}using", f"leave it out: {what} uses no vector space")
