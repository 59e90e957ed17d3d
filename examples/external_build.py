"""`python -m examples.external_build`: an index whose partition is made outside of the server, beside the server's own.

Owns the story; the clustering is `headwater.partition`, which uses faiss, torch, scikit-learn or numpy.
"""

import argparse
from collections.abc import Sequence

from examples.datasets import WordNet, load_wordnet
from examples.own_server import own_server
from examples.report import heading, lines, note
from headwater import Client, IvfConfig, PointStruct, SearchParams, VectorParams
from headwater.partition import installed_backend, make_partition

COLLECTION = "external-build-example"
LISTS = 40
NPROBE = (2, 5, 10, 20, LISTS)


def load(client: Client, data: WordNet) -> None:
    """2,000 definitions in an IVF space. `optimize` builds the lists by a partition of the server's own."""
    space = VectorParams(size=data.definition.shape[1], index="ivf", ivf_config=IvfConfig(lists=LISTS))
    client.collections.create(COLLECTION, vectors_config=space)
    rows = zip(data.synsets, data.definition, strict=True)
    client.points.upload_points(COLLECTION, [PointStruct(id=synset["id"], vector=vector) for synset, vector in rows])
    client.vde.optimize(COLLECTION)


def recall(client: Client, data: WordNet) -> list[str]:
    """Recall of the ten nearest by how many lists are read, against exact search."""
    found = []
    for nprobe in NPROBE:
        params = SearchParams(ivf_nprobe=nprobe)
        measured = client.vde.evaluate_recall(COLLECTION, queries=list(data.query_vectors), params=params)
        found.append(f"{nprobe:>4} of {LISTS} lists   recall@10 {measured.average:.3f}")
    return found


def build_elsewhere(client: Client, backend: str) -> str:
    """Samples, clusters here, sends the tree, and has the server build by assignment alone. Returns the partition."""
    sample = client.vde.sample_vectors(COLLECTION, 1_500, seed=1)
    rows = make_partition(sample.vectors, LISTS, backend=backend, spherical=True)
    partition = client.vde.import_partition(COLLECTION, rows)
    client.vde.trigger_rebuild(COLLECTION, partition_id=partition.partition_id)
    client.vde.optimize(COLLECTION)
    return partition.partition_id


def run(client: Client, backend: str) -> None:
    data = load_wordnet()
    load(client, data)
    heading("A partition of the server's own")
    lines(recall(client, data))
    heading(f"A partition made here, by {backend}")
    note(f"partition {build_elsewhere(client, backend)}")
    lines(recall(client, data))
    client.collections.delete(COLLECTION)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.external_build")
    parser.add_argument("--backend", default=installed_backend(), help="what clusters (default: what is installed)")
    options = parser.parse_args(arguments)
    with own_server() as address, Client(address) as client:
        run(client, options.backend)


if __name__ == "__main__":
    main()
