"""Settings from the environment (`FACTORY_*`), read at the doors and never inside the rooms."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from factory.plan.brief import CANVASES, Aspect


class Settings(BaseSettings):
    """Every setting of the factory, its default and what it means."""

    model_config = SettingsConfigDict(env_prefix="FACTORY_", frozen=True)

    home: Path = Field(default=Path(".factory"), description="the one folder of database, media, cache and outputs")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite in FACTORY_HOME")
    broker_url: str = Field(
        default="", description="Redis URL of the Celery broker; empty: the local runner works jobs off"
    )
    store: str = Field(
        default="",
        description="where hosts share media, cache and trained taggers: file:///folder or s3://bucket/prefix "
        "with keys from AWS_* variables; empty: FACTORY_HOME alone",
    )
    copies_gb: int = Field(
        default=50, ge=1, description="with FACTORY_STORE: about how many GB of copies FACTORY_HOME keeps"
    )
    templates: Path | None = Field(default=None, description="a folder of your own templates, looked in first")
    samples: Path | None = Field(default=None, description="a local folder that holds the public sample clips")
    inbox: Path | None = Field(default=None, description="a folder that the schedule scans for new clips")
    voice: Literal["auto", "local", "silent"] = Field(default="auto", description="narrator: auto, local or silent")
    shots: Literal["fast", "soft"] = Field(
        default="fast", description="how shots are found: fast, or soft (by TransNet V2, several times slower)"
    )
    picture: str = Field(
        default="efficientnet-lite0",
        description="image net of the tagger: the embedded one, a folder or owner/name of a hub",
    )
    sound: str = Field(
        default="log-mel", description="sound net of the tagger: log-mel, a folder or owner/name of a hub"
    )
    mezzanine: str = Field(
        default="",
        pattern=r"^((16:9|9:16|1:1)(,(16:9|9:16|1:1))*)?$",
        description="aspects whose shots are encoded when they come in, and copied where nothing lies over them",
    )
    encoder: Literal["software", "hardware"] = Field(
        default="software", description="who encodes: software, or hardware where one real frame comes out of it"
    )
    producer: str = Field(
        default="AutoReel",
        min_length=1,
        max_length=200,
        description="who makes the videos, by name or registered code: stands in the AIGC label of each file",
    )
    llm_url: str = Field(
        default="", description="chat-completions address of a language model, asked only where an order drafts words"
    )
    llm_model: str = Field(default="", description="name of that model")
    llm_key: SecretStr = Field(default=SecretStr(""), description="its key, sent as a bearer token")
    c2pa_cert: Path | None = Field(
        default=None, description="the certificate with its chain (PEM) that signs content credentials; none: unsigned"
    )
    c2pa_key: Path | None = Field(default=None, description="the private key (PEM) of that certificate")
    notice_url: SecretStr = Field(
        default=SecretStr(""), description="address that is told of failures and of jobs that stand still"
    )
    notice_secret: SecretStr = Field(default=SecretStr(""), description="secret that signs the notices")
    notice_form: Literal["webhook", "dingtalk", "feishu"] = Field(
        default="webhook", description="form of the notices: webhook, or that of a DingTalk or Feishu robot"
    )
    stalled_after: int = Field(
        default=3600, ge=1, le=604_800, description="seconds that a job may wait before it counts as standing still"
    )
    web_host: str = Field(default="127.0.0.1", description="address that `factory serve` binds")
    web_port: int = Field(default=8787, ge=0, le=65535, description="port that `factory serve` binds")
    spread: int = Field(
        default=2, ge=0, le=64, description="other workers that may help with the chunks of one video; 0: none"
    )
    tagging: Literal["cpu", "gpu"] = Field(
        default="cpu", description="which workers tag: cpu, or gpu: those that listen on the queue tagging-gpu"
    )
    worker_memory: int = Field(
        default=4000,
        ge=0,
        le=1_000_000,
        description="MB at which a worker ends after its job and is replaced; 0: no bound",
    )
    workers: int = Field(default=1, ge=0, le=64, description="jobs that `factory serve` works off at once; 0: none")
    traces: str = Field(
        default="", description="OTLP address that spans of each job are sent to, as http://collector:4318/v1/traces"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="text, or json: one object a line with the ids of job and asset, to stderr"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR, to stderr"
    )

    @property
    def mezzanines(self) -> tuple[Aspect, ...]:
        """The aspects of `mezzanine`, each once."""
        return tuple(aspect for aspect in CANVASES if aspect in self.mezzanine.split(","))

    @property
    def database(self) -> str:
        """The database URL, with SQLite in `home` where none is set."""
        return self.database_url or f"sqlite:///{(self.home / 'factory.db').resolve()}"
