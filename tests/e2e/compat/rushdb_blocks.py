"""The Python of RushDB's page about external indexes, block by block, for test_rushdb.py to run."""

CREATE = """
# Explicit sourceType
response = db.ai.indexes.create({
    "label": "Article",
    "propertyName": "body",
    "sourceType": "external",
    "dimensions": 768,
    "similarityFunction": "cosine",
})
print(response.data["status"])  # 'awaiting_vectors'
"""

UPSERT_VECTORS = """
# Fetch your records and embed them with your own model
records_response = db.records.find({"where": {"__label": "Article"}})

items = []
for record in records_response.data:
    vector = my_embedder.embed(record["body"])  # your embedding model
    items.append({"recordId": record["__id"], "vector": vector})

db.ai.indexes.upsert_vectors(ext_index_id, {"items": items})
"""

INLINE = """
# One step: create record AND write its vector
record = db.records.create(
    label="Article",
    data={"title": "Warp drives", "body": "Alcubierre metric..."},
    vectors=[{"propertyName": "body", "vector": my_embedder.embed("Alcubierre metric...")}],
)
"""

DISAMBIGUATION = """
# Two indexes: Article:body/cosine and Article:body/euclidean

# Explicit: writes to the cosine index only
db.records.create(
    label="Article",
    data={"title": "Widget", "body": "..."},
    vectors=[{
        "propertyName": "body",
        "vector": vec,
        "similarityFunction": "cosine",  # required when ambiguous
    }],
)

# Explicit: searches the euclidean index only
db.ai.search({
    "labels": ["Article"],
    "propertyName": "body",
    "queryVector": vec,
    "similarityFunction": "euclidean",
})
"""

AMBIGUOUS = """
# Missing similarityFunction when two indexes exist
db.records.create(
    label="Article",
    data={"title": "Gadget"},
    vectors=[{"propertyName": "body", "vector": vec}],  # ambiguous!
)
"""

WORKED_EXAMPLE = """
from rushdb import RushDB

db = RushDB("your-api-key")

# 1. Create the external index
idx_response = db.ai.indexes.create({
    "label": "Doc",
    "propertyName": "content",
    "sourceType": "external",
    "dimensions": 3,
    "similarityFunction": "cosine",
})
ext_index_id = idx_response.data["id"]
# status: 'awaiting_vectors'

# 2. Create records + write inline vectors (one round trip per record)
articles = [
    {"title": "Alpha", "content": "First article", "vector": [1, 0, 0]},
    {"title": "Beta", "content": "Second article", "vector": [0, 1, 0]},
    {"title": "Gamma", "content": "Third article", "vector": [0, 0, 1]},
]

for article in articles:
    db.records.create(
        label="Doc",
        data={"title": article["title"], "content": article["content"]},
        vectors=[{"propertyName": "content", "vector": article["vector"]}],
    )

# 3. Search using a pre-computed query vector
results = db.ai.search({
    "labels": ["Doc"],
    "propertyName": "content",
    "queryVector": [1, 0, 0],  # closest to Alpha
    "limit": 3,
})

print(results.data[0]["title"])  # 'Alpha'
print(results.data[0].score)  # ~1.0
"""

CREATE_MANY = """
db.records.create_many(
    label="Doc",
    data=[
        {"title": "Alpha", "content": "First article"},
        {"title": "Beta", "content": "Second article"},
        {"title": "Gamma", "content": "Third article"},
    ],
    vectors=[
        [{"propertyName": "content", "vector": [1, 0, 0]}],
        [{"propertyName": "content", "vector": [0, 1, 0]}],
        [{"propertyName": "content", "vector": [0, 0, 1]}],
    ],
)
"""

MANAGED_AND_EXTERNAL = """
# Managed: server embeds for full-text search
db.ai.indexes.create({"label": "Product", "propertyName": "description"})

# External: your custom multimodal model
db.ai.indexes.create({
    "label": "Product",
    "propertyName": "description",
    "sourceType": "external",
    "dimensions": 512,
    "similarityFunction": "cosine",
})
"""
