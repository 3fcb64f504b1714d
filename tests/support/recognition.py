"""Recognition over a test's own sessions and facts."""

from __future__ import annotations

from gateway.api_keys import ApiKeys
from gateway.credentials.access_tokens import AccessTokens
from gateway.credentials.api_keys import ApiKeyFormat, ApiKeyFormats
from gateway.credentials.passwords import PasswordHashing
from gateway.facts.cache import FactsCache
from gateway.recognition.facts_of import FactsOf
from gateway.recognition.recognition import Recognition
from gateway.sessions import Sessions
from gateway.storage.database import Database
from tests.support.parts import make_proof

API_KEYS = ApiKeyFormats(personal=ApiKeyFormat("lc_ak_"), service=ApiKeyFormat("lc_sk_"))


def make_recognition(  # noqa: PLR0913 - as many as the thing itself takes
    database: Database,
    *,
    facts: FactsCache,
    sessions: Sessions,
    access_tokens: AccessTokens,
    api_keys: ApiKeys | None = None,
    api_key_level: int = 1,
) -> Recognition:
    return Recognition(
        facts=facts,
        sessions=sessions,
        access_tokens=access_tokens,
        api_keys=api_keys or ApiKeys(database, formats=API_KEYS, digest_key=b"digest"),
        proof=make_proof(database, PasswordHashing(threads=1)),
        facts_of=FactsOf(api_key_level, force_password_change=True),
    )
