"""`REDIS_URL`, as it may be written."""

from __future__ import annotations

import pytest

from gateway.config.redis_url import RedisAddress, parse_redis_url


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("redis://cache", RedisAddress((("cache", 6379),))),
        ("REDIS://Cache:6380/3", RedisAddress((("cache", 6380),), database=3)),
        ("redis://", RedisAddress((("localhost", 6379),))),
        ("redis://[::1]:6380/?db=2", RedisAddress((("::1", 6380),), database=2)),
        ("redis://:s%40cret@cache", RedisAddress((("cache", 6379),), password="s@cret")),
        ("redis://me:a:b@cache", RedisAddress((("cache", 6379),), username="me", password="a:b")),
        (
            "rediss://cache?ssl_ca_certs=/etc/ca.pem",
            RedisAddress((("cache", 6379),), tls=True, options={"ssl_ca_certs": "/etc/ca.pem"}),
        ),
        ("unix:///run/redis.sock?db=1", RedisAddress(socket="/run/redis.sock", database=1)),
        ("unix://me:secret@/run/redis.sock", RedisAddress(socket="/run/redis.sock", username="me", password="secret")),
        (
            "redis+sentinel://:secret@one:26380,two/main?db=1&sentinel_password=other",
            RedisAddress(
                (("one", 26380), ("two", 26379)),
                service="main",
                database=1,
                password="secret",
                options={"sentinel_password": "other"},
            ),
        ),
        ("rediss+sentinel://one/main", RedisAddress((("one", 26379),), service="main", tls=True)),
    ],
)
def test_address_is_read(written: str, meant: RedisAddress) -> None:
    assert parse_redis_url(written) == meant


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ("hunter2@cache", "must begin with redis://"),
        ("http://:hunter2@cache", "must begin with redis://"),
        ("redis://:hunter2 @cache", "must begin with redis://"),
        ("redis://:hunter2@[cache", "special characters of a password"),
        ("redis://:hunter2@cache:0", "names a host that cannot be"),
        ("redis://:hunter2@one,two", "names a host that cannot be"),
        ("redis://:hunter2@cache/main", "the number of a database"),
        ("redis://:hunter2@cache?db=-1", "the number of a database"),
        # A password with these in it ends the host before its time.
        ("redis://:hun/ter2@cache", "names a host that cannot be"),
        ("redis://:hun?ter2@cache", "has an option that is not known"),
        ("redis://cache?socket_timeout=99", "has an option that is not known; there is db"),
        ("redis://cache?ssl_ca_certs=/etc/ca.pem", "has an option that is not known"),
        ("redis://cache?sentinel_password=hunter2", "has an option that is not known"),
        ("unix://cache/run/redis.sock", "must be unix:///path"),
        ("unix://", "must be unix:///path"),
        ("redis+sentinel://one:26379", "the name that the Sentinels watch is missing"),
        ("redis+sentinel:///main", "the name that the Sentinels watch is missing"),
        ("redis+sentinel://one/main/0", "the name that the Sentinels watch is missing"),
    ],
)
def test_what_cannot_be_an_address_is_refused_without_its_password(written: str, refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal) as refused:
        parse_redis_url(written)
    assert "hun" not in str(refused.value)
    assert "ter2" not in str(refused.value)


def test_passwords_are_not_shown() -> None:
    shown = repr(parse_redis_url("redis+sentinel://me:hunter2@one/main?sentinel_password=hunter2"))
    assert "one" in shown
    assert "hunter2" not in shown
