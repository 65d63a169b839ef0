"""What holds of the deployment without a container engine: its promises, and that it speaks of things that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from factory.queues import EVERY, TAGGING_GPU
from factory.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "render", "tagging", "tagging-gpu", "beat")
WORKERS = ("render", "tagging", "tagging-gpu")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_images_of_others_are_pinned() -> None:
    for service in SERVICES.values():
        image = service["image"]
        assert image == "autoreel" or re.search(r":\d+\.\d+", image), image


def test_no_secret_stands_in_what_is_committed() -> None:
    for name in ("compose.yaml", "Dockerfile"):
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r"://\w+:(?!\$\{)[^@\s]*@", text)  # a password in an address
        for value in re.findall(r"(?i)(?:password|secret|token)\w*(?:: |=)(\S+)", text):
            assert value.startswith("${"), (name, value)
    given = dict(line.split("=", 1) for line in _lines(".env.example"))
    assert given["POSTGRES_PASSWORD"] == given["FACTORY_NOTICE_SECRET"] == given["FACTORY_NOTICE_URL"] == ""
    assert ".env" in _lines(".gitignore")
    assert "!.env" not in (ROOT / ".dockerignore").read_text("utf-8")
    assert _lines(".dockerignore")[0] == "*"


def test_without_a_password_nothing_starts() -> None:
    for text in re.findall(r"\$\{POSTGRES_PASSWORD[^}]*\}", (ROOT / "compose.yaml").read_text("utf-8")):
        assert ":?" in text


def test_every_setting_that_compose_names_is_one() -> None:
    named = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert "FACTORY_DATABASE_URL" in named
    assert named <= {f"FACTORY_{name.upper()}" for name in Settings.model_fields}


def test_the_broker_keeps_what_it_is_given() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert (options["--appendonly"], options["--maxmemory-policy"]) == ("yes", "noeviction")
    assert "redis:/data" in SERVICES["redis"]["volumes"]


def test_workers_listen_on_every_queue() -> None:
    commands = {name: SERVICES[name]["command"] for name in WORKERS}
    heard = {name: command[command.index("-Q") + 1].split(",") for name, command in commands.items()}
    assert {queue for queues in heard.values() for queue in queues} == set(EVERY)
    assert heard["render"] == ["rendering", "chunks"]
    assert heard["tagging-gpu"] == [TAGGING_GPU]  # nothing else waits behind what wants the device
    (device,) = SERVICES["tagging-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["tagging-gpu"]


def test_the_queues_that_operations_name_are_those() -> None:
    rows = OPERATIONS[OPERATIONS.index("## Workers") :].split("\n## ")[0].splitlines()
    assert {row.split("`")[1] for row in rows if row.startswith("| `")} == set(EVERY)


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_that_ends_for_its_memory_leaves_room_and_comes_back(name: str) -> None:
    limit = SERVICES[name]["mem_limit"]
    assert int(limit.removesuffix("g")) * 1000 > Settings.model_fields["worker_memory"].default
    assert SERVICES[name]["restart"] == "unless-stopped"  # whatever it ended with
    assert "--pool" not in SERVICES[name]["command"]


def test_what_decodes_foreign_files_has_no_way_out() -> None:
    assert COMPOSE["networks"]["inner"]["internal"] is True
    for name in ("db", "redis", "migrate", *WORKERS, "beat"):
        assert SERVICES[name]["networks"] == ["inner"]
    (port,) = SERVICES["web"]["ports"]
    assert port.startswith("127.0.0.1:")
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["web"]
    listen, goes_to = SERVICES["door"]["command"]
    assert port.rpartition(":")[2] in listen
    assert goes_to == f"TCP:127.0.0.1:{Settings.model_fields['web_port'].default}"
    told = [name for name in OURS if "FACTORY_NOTICE_URL" in SERVICES[name]["environment"]]
    assert told == ["web"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_with_few_rights_on_a_migrated_database(name: str) -> None:
    service = SERVICES[name]
    assert (service["cap_drop"], service["security_opt"], service["init"]) == (
        ["ALL"],
        ["no-new-privileges:true"],
        True,
    )
    assert service["depends_on"]["db"]["condition"] == "service_healthy"
    if name != "migrate":
        assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_image_is_built_in_stages_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert len(re.findall(r"^FROM ", text, re.MULTILINE)) == 2
    last = text[text.rindex("FROM ") :]
    (user,) = re.findall(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert 0 not in map(int, user)
    assert "pip install" not in last
    assert re.search(r"^ARG TORCH_INDEX=https://download\.pytorch\.org/whl/cpu$", text, re.MULTILINE)
    wanted = re.search(r"pip install torch==(\S+)", (ROOT / "run").read_text("utf-8"))
    assert wanted
    assert f"ARG TORCH_VERSION={wanted[1]}" in text


def test_everything_that_is_copied_into_the_image_exists() -> None:
    allowed = [line.removeprefix("!") for line in _lines(".dockerignore") if line.startswith("!")]
    assert all((ROOT / name).exists() for name in allowed)
    packages = re.search(r"include = \[(.*)\]\nnamespaces", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert packages
    assert {name.strip('"*') for name in packages[1].split(", ")} <= set(allowed)


def test_operations_tell_of_every_setting() -> None:
    assert {name for name in Settings.model_fields if f"`FACTORY_{name.upper()}`" not in OPERATIONS} == set()


def test_operations_tell_only_of_errors_that_exist() -> None:
    source = "".join(path.read_text("utf-8") for path in (*ROOT.glob("factory/**/*.py"), *ROOT.glob("workers/*.py")))
    table = OPERATIONS[OPERATIONS.index("## What failures look like") : OPERATIONS.index("## Settings")]
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]
    told = {code for cell in first for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", cell)}
    assert len(told) > 10
    assert {code for code in told if f'"{code}"' not in source and f"{code}: " not in source} == set()


def test_operations_name_only_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    from typer.main import get_command

    from factory.cli import app

    known = get_command(app)
    for line in re.findall(r"^(?:docker compose exec web )?factory (.+)$", OPERATIONS, re.MULTILINE):
        group: Any = known
        for word in shlex.split(line.split("#")[0]):
            if not hasattr(group, "commands"):
                break
            assert word in group.commands, line
            group = group.commands[word]


def _lines(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
