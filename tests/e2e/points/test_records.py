"""Records: points by another name, with vectors by property, written one by one, many at once, and as JSON."""

import random
from typing import Any

import pytest

from headwater import (
    AlreadyExistsError,
    Client,
    Field,
    InvalidArgumentError,
    InvalidPayloadError,
    LabeledRecord,
    LimitExceededError,
    PropertyVector,
)

TEXT = {"propertyName": "text", "vector": [1, 0]}


@pytest.fixture
def label(client: Client, name: str) -> str:
    """A collection with an index of `text` and one of `author.bio`, both of two dimensions."""
    client.collections.create(name)
    for path in ("text", "author.bio"):
        client.indexes.create(label=name, property_name=path, dimensions=2)
    return name


def stored(client: Client, label: str) -> dict[Any, tuple[Any, dict[str, list[float]]]]:
    """Payload and vectors by property, by id."""
    spaces = {index.space: index.property_name for index in client.indexes.list(label)}
    return {
        point.id: (point.payload, {spaces[space]: row.tolist() for space, row in point.vectors.items()})
        for point in client.points.scroll_all(label, with_vectors=True)
    }


def test_a_record_is_a_point(client: Client, label: str) -> None:
    made = client.records.create(label, {"text": "a"}, vectors=[TEXT])
    assert made == LabeledRecord(made.id, label, {"text": "a"})
    assert stored(client, label) == {made.id: ({"text": "a"}, {"text": [1, 0]})}
    assert client.records.find(label) == [made]
    assert client.points.get(label, [made.id])[0].payload == made.data
    named = client.records.create(label, {}, id=7, vectors=[PropertyVector("text", [0, 1])])
    assert (named.id, stored(client, label)[7]) == (7, ({}, {"text": [0, 1]}))


def test_a_record_that_exists_is_not_made_again(client: Client, label: str) -> None:
    client.records.create(label, {"n": 1}, id=1)
    with pytest.raises(AlreadyExistsError, match="1"):
        client.records.create(label, {"n": 2}, id=1)
    with pytest.raises(AlreadyExistsError):
        client.records.create_many(label, [{"n": 2}, {"n": 3}], ids=[2, 1])
    assert stored(client, label) == {1: ({"n": 1}, {})}


def test_lists_go_together(client: Client, label: str) -> None:
    rows = [{"n": 0}, {"n": 1}, {"n": 2}]
    bio = {"propertyName": "author.bio", "vector": [3, 4]}
    made = client.records.create_many(label, rows, vectors=[[TEXT, bio], [], bio])
    found = stored(client, label)
    assert [found[record.id][1] for record in made] == [
        {"text": [1, 0], "author.bio": [3, 4]},
        {},
        {"author.bio": [3, 4]},
    ]
    assert [record.data for record in made] == rows
    assert client.records.create_many(label, []) == []
    for arguments in ({"vectors": [[TEXT]]}, {"ids": [1]}):
        with pytest.raises(ValueError, match="for 3 records"):
            client.records.create_many(label, rows, **arguments)
    assert client.points.count(label) == 3


def test_an_upsert_keeps_vectors_that_it_does_not_give(client: Client, label: str) -> None:
    bio = {"propertyName": "author.bio", "vector": [3, 4]}
    client.records.upsert(label, {"n": 1}, id=1, vectors=[TEXT])
    client.records.upsert(label, {"n": 2}, id=1, vectors=[bio])
    assert stored(client, label) == {1: ({"n": 2}, {"text": [1, 0], "author.bio": [3, 4]})}
    client.records.upsert(label, {"n": 3}, id=1)
    assert stored(client, label) == {1: ({"n": 3}, {"text": [1, 0], "author.bio": [3, 4]})}
    client.records.upsert(label, {"n": 4}, id=1, vectors=[bio], replace=True)
    assert stored(client, label) == {1: ({"n": 4}, {"author.bio": [3, 4]})}
    other = client.records.upsert(label, {"n": 5})
    assert client.records.find(label, ids=[other.id]) == [other]


def test_upserts_against_a_dict(client: Client, label: str) -> None:
    rng, model = random.Random(3), dict[int, tuple[Any, dict[str, list[float]]]]()
    for number in range(60):
        point_id, data = rng.randrange(8), {"n": number}
        given = {path: [float(number), 1.0] for path in ("text", "author.bio") if rng.random() < 0.5}
        vectors = [{"propertyName": path, "vector": vector} for path, vector in given.items()]
        replace = rng.random() < 0.3
        client.records.upsert(label, data, id=point_id, vectors=vectors, replace=replace)
        kept = {} if replace else model.get(point_id, ({}, {}))[1]
        model[point_id] = (data, {**kept, **given})
        if rng.random() < 0.1:
            client.records.delete(label, ids=[point_id])
            del model[point_id]
    assert stored(client, label) == model


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, [0, 1, 2, 3, 4]),
        ({}, [0, 1, 2, 3, 4]),
        ({"color": "red"}, [0, 1]),
        ({"color": "red", "n": {"$gt": 0}}, [1]),
        ({"n": {"$gte": 1, "$lt": 3}}, [1, 2]),
        ({"n": [1, 3]}, [1, 3]),
        ({"n": {"$in": [1, 3]}}, [1, 3]),
        ({"n": {"$nin": [1, 3]}}, [0, 2, 4]),
        ({"color": {"$ne": "red"}}, [2, 3, 4]),
        ({"color": {"$exists": False}}, [4]),
        ({"color": {"$exists": True, "$ne": None}}, [0, 1, 2]),
        ({"color": None}, [3]),
        ({"color": {"$contains": "lu"}}, [2]),
        ({"color": {"$startsWith": "r"}}, [0, 1]),
        ({"color": {"$endsWith": "ed"}}, [0, 1]),
        ({"color": {"$endsWith": "e"}}, [2]),
        ({"color": {"$endsWith": "*d"}}, []),
        ({"$id": 3}, [3]),
        ({"$id": [3, 1, 9]}, [1, 3]),
        ({"$id": {"$gt": 1, "$lte": 3}, "$not": {"$id": 2}}, [3]),
        ({"$or": [{"n": 0}, {"color": "blue", "n": 2}, {"color": "red", "n": 9}]}, [0, 2]),
        ({"$and": [{"n": {"$lte": 2}}, {"color": "red"}]}, [0, 1]),
        ({"$not": {"color": "red", "n": 1}}, [0, 2, 3, 4]),
        ({"$nor": [{"n": 0}, {"n": 1}]}, [2, 3, 4]),
        (Field("n").gt(2), [3, 4]),
        ("n > 2", [3, 4]),
    ],
)
def test_records_are_found(client: Client, where: Any, expected: list[int]) -> None:
    label = "found records"
    if not client.collections.exists(label):
        client.collections.create(label)
        rows: list[Any] = [{"color": "red"}, {"color": "red"}, {"color": "blue"}, {"color": None}, {}]
        client.records.create_many(label, [{**row, "n": n} for n, row in enumerate(rows)], ids=range(5))
    assert [record.id for record in client.records.find(label, where=where)] == expected
    assert [record.id for record in client.records.find(label, where=where, skip=1, limit=1)] == expected[1:2]


@pytest.mark.parametrize(
    "where", [{"n": {"$near": 1}}, {"$all": []}, {"$or": {"n": 1}}, {"$and": []}, {"$or": [1]}, {"$not": [{}]}]
)
def test_a_dict_that_is_no_filter(client: Client, label: str, where: Any) -> None:
    with pytest.raises(ValueError, match=r"\$"):
        client.records.find(label, where=where)


def test_records_are_deleted(client: Client, label: str) -> None:
    client.records.create_many(label, [{"n": n} for n in range(6)], ids=range(6))
    assert client.records.delete(label, ids=[0, 99]) == 1
    assert client.records.delete(label, where={"n": {"$gte": 4}}) == 2
    assert [record.id for record in client.records.find(label)] == [1, 2, 3]
    for arguments in ({}, {"ids": [1], "where": {"n": 1}}):
        with pytest.raises(ValueError, match="ids or where"):
            client.records.delete(label, **arguments)  # type: ignore[arg-type]


def test_nested_json_is_imported(client: Client, label: str) -> None:
    other = f"{label} other"
    client.collections.create(other)
    data = {
        label: [
            {
                "$id": 1,
                "text": "a",
                "$vectors": [TEXT],
                "author": {"bio": "b", "$vectors": [{"propertyName": "bio", "vector": [5, 6]}]},
            },
            {"$id": 2, "text": "b", "$vectors": {"text": [7, 8]}, "tags": [{"x": 1}]},
        ],
        other: {"n": 1},
    }
    made = client.records.import_json(data)
    assert stored(client, label) == {
        1: ({"text": "a", "author": {"bio": "b"}}, {"text": [1, 0], "author.bio": [5, 6]}),
        2: ({"text": "b", "tags": [{"x": 1}]}, {"text": [7, 8]}),
    }
    assert [record.id for record in made[label]] == [1, 2]
    assert client.records.find(other) == made[other]
    assert "$vectors" in str(data)  # what was given is left as it is
    more = client.records.import_json([{"n": n} for n in range(1200)], label=other)
    assert (len(more[other]), client.points.count(other)) == (1200, 1201)
    assert client.records.import_json({"label": other, "data": {"n": 2}}).keys() == {other}


@pytest.mark.parametrize(
    ("data", "label_given", "message"),
    [
        ([{"a": 1}], False, "label"),
        ([1], True, r"data\[0\] takes a dict"),
        ({"a": 5}, False, r'data\["a"\] must be an object'),
        ([{"a": [{"$vectors": []}]}], True, "objects in a list"),
        ([{"$vectors": [5]}], True, "must hold dicts"),
    ],
)
def test_json_that_cannot_be_imported(client: Client, label: str, data: Any, label_given: bool, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        client.records.import_json(data, label=label if label_given else None)
    assert client.points.count(label) == 0


def test_a_bad_record_leaves_nothing(client: Client, label: str) -> None:
    with pytest.raises(InvalidPayloadError) as raised:
        client.records.create_many(label, [{"n": 1}, {"n": 2**70}])
    assert raised.value.field.startswith("records[1].payload")
    with pytest.raises(InvalidArgumentError, match="same id"):
        client.records.create_many(label, [{}, {}], ids=[1, 1])
    with pytest.raises(LimitExceededError, match="MAX_LIMIT"):
        client.records.create_many(label, [{}] * 10_001)
    with pytest.raises(TypeError, match=r"vectors\[0\] takes PropertyVector"):
        client.records.create(label, {}, vectors=[[1, 0]])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="has no 'property'; PropertyVector has property_name, vector"):
        client.records.create(label, {}, vectors=[{"property": "text", "vector": [1, 0]}])
    assert client.points.count(label) == 0
