"""What is ordered, as the text by which two orders are told apart."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def canonical_json(self) -> str:
        """Return it as sorted compact JSON, the text that is digested and stored."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
