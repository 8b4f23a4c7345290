"""What the embedded Qdrant refuses, and what it keeps."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import AsyncQdrantClient, models

from memory.embedded import app as embedded
from memory.embedded import envelope
from memory.embedded.shards import Shards

CREATE = {"vectors": {"dense": {"size": 4, "distance": "Cosine"}}, "sparse_vectors": {"text": {"modifier": "idf"}}}
VECTOR = [1.0, 0.0, 0.0, 0.0]


def point(**changed: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "vector": {"dense": VECTOR}, "payload": {"n": 1}} | changed


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = embedded.create_app(tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://embedded") as client:
        (await client.put("/collections/things", json=CREATE)).raise_for_status()
        yield client
    app.state.shards.close()


async def test_it_introduces_itself_as_qdrant_does(http: httpx.AsyncClient) -> None:
    assert (await http.get("/")).json()["title"] == "qdrant - vector search engine"
    assert [(await http.get(path)).status_code for path in ("/healthz", "/livez", "/readyz")] == [200] * 3
    assert (await http.get("/collections")).json()["result"] == {"collections": [{"name": "things"}]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/collections/things/points/recommend", {}),
        ("POST", "/collections/things/points/query/groups", {}),
        ("PATCH", "/collections/things", {}),
        ("PATCH", "/collections/things", {"hnsw_config": {"m": 8}, "metadata": {"a": 1}}),
        ("POST", "/collections/things/points/payload", {"payload": {"a": 1}}),
        ("POST", "/collections/things/points/payload", {"payload": {"a": 1}, "points": [1], "key": "n"}),
        ("POST", "/collections/things/snapshots", {}),
        ("GET", "/cluster", None),
        ("PUT", "/collections/things/points", {"batch": {"ids": [1], "vectors": {"dense": [VECTOR]}}}),
        ("PUT", "/collections/other", {"vectors": {"a": {"size": 4, "distance": "Cosine", "datatype": "uint8"}}}),
        ("PUT", "/collections/other", {**CREATE, "shard_number": 3}),
        ("PUT", "/collections/things/index", {"field_name": "text", "field_schema": "text"}),
        ("POST", "/collections/things/points/query", {"query": {"sample": "random"}}),
        ("POST", "/collections/things/points/query", {"query": VECTOR, "using": "dense", "params": {"exact": True}}),
        ("POST", "/collections/things/points/scroll", {"order_by": "n"}),
        (
            "POST",
            "/collections/things/points/count",
            {"filter": {"must": [{"key": "at", "geo_radius": {"center": {"lon": 1, "lat": 1}, "radius": 1}}]}},
        ),
        ("POST", "/collections/things/points/count", {"filter": {"must": [{"key": "n", "match": {"text": "a"}}]}}),
    ],
)
async def test_what_it_does_not_cover_it_says_so(http: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    answer = await http.request(method, path, json=body)
    assert answer.status_code == 501, answer.text
    assert "not covered by the embedded Qdrant" in answer.json()["status"]["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/collections/nothing/points", {"points": [point()]}, 404),
        ("/collections/things", CREATE, 409),
        ("/collections/..%2F..%2Fetc", CREATE, 501),
        ("/collections/a.b", CREATE, 400),
        ("/collections/" + "x" * 65, CREATE, 400),
        ("/collections/other", {}, 400),
        ("/collections/other", {"vectors": {"dense": {"size": 0, "distance": "Cosine"}}}, 400),
        ("/collections/other", {"vectors": {"dense": {"size": 4, "distance": "Sideways"}}}, 400),
        ("/collections/things/points", {"points": "many"}, 400),
        ("/collections/things/points", {"points": [point(vector={"dense": [1.0]})]}, 400),
        ("/collections/things/points", {"points": [point(vector={"other": VECTOR})]}, 400),
        ("/collections/things/points", {"points": [point(vector={"text": VECTOR})]}, 400),
        (
            "/collections/things/points",
            {"points": [point(vector={"text": {"indices": [1, 1], "values": [1, 2]}})]},
            400,
        ),
        ("/collections/things/points", {"points": [point(vector={"text": {"indices": [1], "values": [1, 2]}})]}, 400),
        ("/collections/things/points", {"points": [point(id="not a uuid")]}, 400),
        ("/collections/things/points", {"points": [point(id=-1)]}, 400),
        ("/collections/things/points", {"points": [point(id=2**64)]}, 400),
        ("/collections/things/points", [1, 2], 400),
    ],
)
async def test_wrong_input_is_refused_and_changes_nothing(
    http: httpx.AsyncClient, path: str, body: Any, status: int
) -> None:
    answer = await http.put(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"]["error"]
    assert (await http.post("/collections/things/points/count", json={})).json()["result"] == {"count": 0}
    assert (await http.get("/collections")).json()["result"] == {"collections": [{"name": "things"}]}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"points": [{"id": 1, "vector": {"dense": [NaN, 0, 0, 1e999]}}]}'],
)
async def test_a_body_that_is_no_json_is_refused(http: httpx.AsyncClient, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await http.put("/collections/things/points", content=content, headers=headers)
    assert answer.status_code == 400


async def test_a_web_page_cannot_post_to_it_unasked(http: httpx.AsyncClient) -> None:
    # A form or a text/plain body needs no permission of the browser's; JSON does.
    answer = await http.post(
        "/collections/things/points/delete", content=b'{"points": [1]}', headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 415


async def test_a_body_beyond_the_limit_is_refused(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MAX_BODY", 1_000)
    answer = await http.put("/collections/things/points", json={"points": [point(payload={"a": "x" * 2_000})]})
    assert answer.status_code == 413


@pytest.mark.parametrize("limit", [0, 10_001, 10**18])
async def test_a_page_without_measure_is_refused(http: httpx.AsyncClient, limit: int) -> None:
    for path, body in (("query", {"query": VECTOR, "using": "dense"}), ("scroll", {})):
        answer = await http.post(f"/collections/things/points/{path}", json={**body, "limit": limit})
        assert answer.status_code == 400


async def test_a_payload_is_changed_by_id_and_by_filter_and_the_rest_of_it_stays(http: httpx.AsyncClient) -> None:
    points = [point(id=number, payload={"n": number, "kept": True}) for number in (1, 2, 3)]
    await http.put("/collections/things/points", json={"points": points})
    change = "/collections/things/points/payload"
    empty = {"must": [{"is_empty": {"key": "who"}}]}
    assert (await http.post(change, json={"payload": {"who": "one"}, "points": [1]})).is_success
    assert (await http.post(change, json={"payload": {"who": "rest"}, "filter": empty})).is_success
    assert (await http.post(change, json={"payload": {"who": None}, "points": [3]})).is_success
    found = (await http.post("/collections/things/points", json={"ids": [1, 2, 3]})).json()["result"]
    assert [row["payload"] for row in found] == [
        {"n": 1, "kept": True, "who": "one"},
        {"n": 2, "kept": True, "who": "rest"},
        {"n": 3, "kept": True},  # null takes a key away
    ]
    assert (await http.post("/collections/things/points/count", json={"filter": empty})).json()["result"]["count"] == 1
    assert (await http.post(change, json={"payload": {"who": "all"}, "filter": {}})).status_code == 400


async def test_metadata_grows_and_is_there_when_it_opens_again(tmp_path: Path) -> None:
    for opening in range(2):
        app = embedded.create_app(tmp_path)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://e") as http:
            if opening == 0:
                await http.put("/collections/things", json={**CREATE, "metadata": {"a": 1, "b": 2}})
                await http.patch("/collections/things", json={"metadata": {"b": 3}})
            metadata = (await http.get("/collections/things")).json()["result"]["config"]["metadata"]
            assert metadata == {"a": 1, "b": 3}
        app.state.shards.close()


@pytest.mark.parametrize("only", [None, {}, {"must": []}])
async def test_a_deletion_without_a_condition_deletes_nothing(http: httpx.AsyncClient, only: Any) -> None:
    await http.put("/collections/things/points", json={"points": [point()]})
    answer = await http.post("/collections/things/points/delete", json={"filter": only})
    assert answer.status_code == 400
    assert (await http.post("/collections/things/points/count", json={})).json()["result"] == {"count": 1}


async def test_the_unmodified_client_finds_scrolls_counts_and_deletes(tmp_path: Path) -> None:
    app = embedded.create_app(tmp_path)
    client = AsyncQdrantClient(url="http://e", transport=httpx.ASGITransport(app), check_compatibility=False)
    await client.create_collection(
        "plain", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT), metadata={"made": "here"}
    )
    assert (await client.get_collection("plain")).config.metadata == {"made": "here"}
    points = [
        models.PointStruct(id=n, vector=[float(n), 1.0], payload={"n": n, "at": f"2026-01-0{n}T00:00:00Z"})
        for n in range(1, 6)
    ]
    await client.upsert("plain", points)
    best = await client.query_points("plain", query=[1.0, 0.0], limit=2, with_vectors=True)
    assert [(row.id, row.vector) for row in best.points] == [(5, [5.0, 1.0]), (4, [4.0, 1.0])]
    page, following = await client.scroll("plain", limit=3)
    assert ([row.id for row in page], following) == ([1, 2, 3], 4)
    odd = models.Filter(
        must=[models.FieldCondition(key="n", range=models.Range(gte=2))],
        should=[models.FieldCondition(key="n", match=models.MatchAny(any=[1, 3, 5]))],
        must_not=[models.HasIdCondition(has_id=[5])],
    )
    assert (await client.count("plain", count_filter=odd)).count == 1
    late = models.FieldCondition(key="at", range=models.DatetimeRange(gt="2026-01-03T00:00:00Z"))
    assert (await client.count("plain", count_filter=models.Filter(must=[late]))).count == 2
    assert [row.id for row in await client.retrieve("plain", [2, 99])] == [2]
    await client.delete("plain", models.PointIdsList(points=[1, 2]))
    assert (await client.count("plain")).count == 3
    assert await client.delete_collection("plain")
    assert not await client.collection_exists("plain")
    await client.close()
    app.state.shards.close()


async def test_what_was_stored_is_there_when_it_opens_again(tmp_path: Path) -> None:
    for opening in range(3):
        app = embedded.create_app(tmp_path)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://e") as http:
            if opening == 0:
                await http.put("/collections/things", json=CREATE)
                await http.put("/collections/things/index", json={"field_name": "n", "field_schema": "integer"})
            await http.put("/collections/things/points", json={"points": [point()]})
            counted = await http.post("/collections/things/points/count", json={})
            assert counted.json()["result"] == {"count": opening + 1}
            schema = (await http.get("/collections/things")).json()["result"]["payload_schema"]
            assert schema["n"]["data_type"] == "integer"
        app.state.shards.close()


def test_what_a_crash_left_half_made_is_no_collection(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    shards.create("things", models.CreateCollection.model_validate(CREATE))
    shards.close()
    (tmp_path / "collections" / "things" / "collection.json").unlink()
    shards = Shards(tmp_path)
    assert shards.names() == []
    shards.create("things", models.CreateCollection.model_validate(CREATE))
    assert shards.names() == ["things"]
    shards.close()


def test_a_second_process_on_the_same_directory_is_turned_away(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    command = [sys.executable, "-m", "memory.embedded", "--path", str(tmp_path), "--port", "0"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "another process uses the data directory" in second.stderr
    shards.close()
