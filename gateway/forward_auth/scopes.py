"""Does a credential's scope cover what is asked?"""

from __future__ import annotations

from functools import lru_cache

from gateway.forward_auth.original_request import OriginalRequest
from gateway.forward_auth.patterns import Glob, compile_glob
from gateway.grammar.hosts import HostPattern, parse_host_pattern
from gateway.models import Principal, Scope


def is_in_scope(principal: Principal, original: OriginalRequest) -> bool:
    """Say whether each reading of the path falls under one of the scopes; without scopes everything does."""
    if not principal.scopes:
        return True
    here = [scope for scope in principal.scopes if _covers_place(scope, original)]
    return all(any(_covers_path(scope, reading) for scope in here) for reading in original.readings)


def _covers_place(scope: Scope, original: OriginalRequest) -> bool:
    method_fits = not scope.methods or original.method in scope.methods
    return method_fits and (not scope.host or _host_pattern(scope.host).covers(original.host))


def _covers_path(scope: Scope, path: str) -> bool:
    return not scope.path or _glob(scope.path).covers(path)


# Keys are few and checks are many: what a scope says is read once.
@lru_cache(maxsize=1024)
def _host_pattern(host: str) -> HostPattern:
    return parse_host_pattern(host)


@lru_cache(maxsize=1024)
def _glob(path: str) -> Glob:
    return compile_glob(path)
