"""A real model of random weights on a real server: whatever it says is an action, in every world."""

import gc
import socket

import pytest
import tiny_gguf

import sandbox
from sandbox.agents.llm import local_server
from sandbox.core.errors import UsageError
from sandbox.engine import registry
from sandbox.running.replay import verify

TEAMS = {"web": 1, "craft": 2}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def scenario(world: str, path, **options) -> dict:
    llm = {"model": f"gguf:{path}", "reason": 20, "max_tokens": 400, "timeout": 120.0, "temperature": 1.0, **options}
    group = {"count": TEAMS.get(world, 2), "reasoner": "llm", "llm": llm}
    return {"world": {"name": world, "max_ticks": 4}, "agents": [group]}


@pytest.mark.parametrize("world", registry.names())
def test_random_weights_play_every_world(world, tiny, tmp_path):
    outcome = sandbox.run(scenario(world, tiny), seed=5, out=tmp_path / "run")
    assert outcome.error is None and outcome.ticks > 1
    assert outcome.calls > 0 and outcome.fallbacks == outcome.invalid_actions == 0, "every reply was a legal action"
    assert outcome.tokens > 500 * outcome.calls
    assert not _servers() and verify(tmp_path / "run").passed


def _servers() -> list:
    gc.collect()
    return list(local_server._servers.values())


def test_a_server_is_shared_while_it_runs_and_stopped_after(tiny):
    one = sandbox.Sandbox(scenario("warehouse", tiny), rng=1)
    other = sandbox.Sandbox(scenario("warehouse", tiny), rng=2)
    (server,) = _servers()
    host, port = server.address.removeprefix("http://").removesuffix("/v1").split(":")
    del server
    assert host == "127.0.0.1"
    socket.create_connection((host, int(port)), timeout=5).close()
    one.close()
    assert len(_servers()) == 1
    other.close()
    assert not _servers()
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=5)


def test_a_file_that_is_no_model_is_one_clear_line(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(UsageError, match="cannot be served") as error:
        sandbox.Sandbox(scenario("warehouse", tmp_path / "bad.gguf"), rng=1)
    assert "\n" not in str(error.value)
