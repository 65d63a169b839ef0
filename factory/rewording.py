"""Asking a language model for other words, where an order wants it: what is taken is checked, the rest stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from factory.errors import FactoryError, WrongUsage
from factory.plan.brief import Brief
from factory.plan.claims import evidence_for
from factory.plan.draft import Offer, answer_schema, offers, question, spoken_lines, with_offers
from factory.plan.facts import Facts
from factory.plan.storyboard import Storyboard
from factory.proofreading import load_absolutes, metric_words, proofread, typed_words
from factory.render.chat import Chat, ChatFailed
from factory.render.phrases import speaking_seconds
from factory.wiring import Parts

FORM = 1  # raised whenever the same order should be asked anew


def reworded(
    storyboard: Storyboard, facts: Facts, brief: Brief, parts: Parts
) -> tuple[Storyboard, dict[str, Any] | None]:
    """Return the storyboard in the words that were taken, and for the trace what was offered; as it is where the order
    does not ask for a draft.

    A model that does not answer, or answers wrongly, costs nothing but its words. Raises WrongUsage where none is set.
    """
    if not brief.draft_words:
        return storyboard, None
    chat = chat_of(parts)
    record: dict[str, Any] = {"model": chat.model, "lines": []}
    try:
        answer = _answer(storyboard, brief, chat, parts)
    except ChatFailed as failure:
        return storyboard, record | {"failed": failure.cause}
    typed, names = tuple(typed_words(brief, facts)), metric_words(facts, storyboard.locale)
    evidence = evidence_for(storyboard, facts, typed=typed, names=names)
    words = load_absolutes(parts.desk_file("absolutes.yaml"))
    found = offers(answer, storyboard, evidence, words, seconds=speaking_seconds)
    checked = tuple(_proofread(found, storyboard, facts, brief, parts))
    own = dict(spoken_lines(storyboard))
    record["lines"] = [_told(offer, own[offer.scene]) for offer in checked]
    return with_offers(storyboard, checked), record


def chat_of(parts: Parts) -> Chat:
    """Return the model that the settings name."""
    settings = parts.settings
    if not (settings.llm_url and settings.llm_model):
        raise WrongUsage(
            "this order asks for drafted words, and no language model is set",
            next_step="set FACTORY_LLM_URL and FACTORY_LLM_MODEL, or leave --draft-words out",
        )
    return Chat(settings.llm_url, settings.llm_model, settings.llm_key.get_secret_value())


def _answer(storyboard: Storyboard, brief: Brief, chat: Chat, parts: Parts) -> dict[str, Any]:
    """Return the kept answer to this question, or ask; an answer that is no answer is not kept."""
    messages, schema = question(storyboard), answer_schema()
    asked = json.dumps([chat.url, chat.model, brief.seed, messages, schema], ensure_ascii=False, sort_keys=True)
    key = f"draft {FORM} {hashlib.sha256(asked.encode()).hexdigest()}"

    def ask(path: Path) -> None:
        answer = chat.ask(messages, schema, seed=brief.seed)
        path.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")

    return dict(json.loads(parts.files.cached(key, ".json", ask).read_text(encoding="utf-8")))


def _proofread(
    found: tuple[Offer, ...], storyboard: Storyboard, facts: Facts, brief: Brief, parts: Parts
) -> Iterator[Offer]:
    """Yield the offers; one that would be refused in a template, read where it stands, is refused here."""
    for offer in found:
        refused = offer.refused
        if not refused:
            try:
                proofread(with_offers(storyboard, (offer,)), facts, brief, parts)
            except FactoryError as refusal:
                refused = f"{refusal.code}: {refusal.cause}"
        yield Offer(offer.scene, offer.text, refused)


def _told(offer: Offer, own: str) -> dict[str, Any]:
    told = {"scene": offer.scene, "template": own, "offered": offer.text, "taken": not offer.refused}
    return told | ({"why": offer.refused} if offer.refused else {})
