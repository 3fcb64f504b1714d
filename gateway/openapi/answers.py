"""The shapes of our answers: the document shows them, and the tests hold real answers against them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

# In the documented shape a field may be left out, but is never null.
_LeftOut = SkipJsonSchema[None]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T12:00:00Z"])]


def _allow_more(schema: JsonDict) -> None:
    schema.pop("additionalProperties", None)


class Shape(BaseModel):
    """What we answer. Strict for our tests; clients are told to expect fields that are still to come."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_allow_more, defer_build=True)


class ErrorAnswer(Shape):
    """Every refusal: `error` is a short title and `message` a sentence for people. Programs go by `code`."""

    error: str
    message: str
    code: str | _LeftOut = Field(default=None, description="A stable name; a few long-known answers have none.")
    detail: str | _LeftOut = None
    fields: dict[str, str] | _LeftOut = Field(
        default=None, description="For each field of the body that is missing or not acceptable: why."
    )
    request_id: str | _LeftOut = None


class FieldProblem(Shape):
    loc: list[str | int] = Field(description="Where: `body` or `query`, in a list the number of the row, the field.")
    msg: str
    type: str


class V1ErrorAnswer(ErrorAnswer):
    """Every refusal under `/api/v1`: `detail` repeats it as LangSmith's clients expect it."""

    detail: str | list[FieldProblem]  # type: ignore[assignment]


class MessageAnswer(Shape):
    message: str


class User(Shape):
    """An account, as clients of the auth API know it."""

    id: str
    id_again: str = Field(alias="_id", description="The same as `id`.")
    email: str
    name: str
    username: str
    role: Literal["user", "admin", "USER", "ADMIN"]
    avatar: str | None
    provider: str
    emailVerified: bool  # noqa: N815 - the API's name
    twoFactorEnabled: bool  # noqa: N815 - the API's name
    mustChangePassword: bool = Field(  # noqa: N815 - the API's name
        description="Until it is changed, only this account, `changePassword` and `logout` answer."
    )
    createdAt: Moment  # noqa: N815 - the API's name
    updatedAt: Moment  # noqa: N815 - the API's name


class TokenAnswer(Shape):
    """Somebody is logged in."""

    token: str = Field(description="The access token: send it as `Authorization: Bearer …`.")
    user: User


class SecondFactorPending(Shape):
    """The password was right, and a second factor is asked for. There is no session yet."""

    twoFAPending: Literal[True]  # noqa: N815 - the API's name
    tempToken: str = Field(description="For `POST /api/auth/2fa/verify-temp`.")  # noqa: N815 - the API's name
    methods: list[str] = Field(examples=[["totp", "backup_code"]])


class SessionAnswer(Shape):
    """An open session. What it says about the device is what that says about itself."""

    id: str
    device: str = Field(examples=["Firefox on Linux"])
    userAgent: str | None  # noqa: N815 - the API's name
    clientAddress: str | None = Field(description="Where it was opened from.")  # noqa: N815 - the API's name
    createdAt: Moment  # noqa: N815 - the API's name
    lastSeenAt: Moment  # noqa: N815 - the API's name
    current: bool = Field(description="Whether it is the one of this access token.")


class ConfigAnswer(Shape):
    """What a login form needs to know."""

    appTitle: str  # noqa: N815 - the API's name
    serverDomain: str  # noqa: N815 - the API's name
    emailLoginEnabled: bool  # noqa: N815 - the API's name
    registrationEnabled: bool  # noqa: N815 - the API's name
    passwordResetEnabled: bool  # noqa: N815 - the API's name
    emailEnabled: bool  # noqa: N815 - the API's name
    socialLoginEnabled: bool  # noqa: N815 - the API's name
    socialLogins: list[str]  # noqa: N815 - the API's name
    googleLoginEnabled: bool  # noqa: N815 - the API's name
    facebookLoginEnabled: bool  # noqa: N815 - the API's name
    githubLoginEnabled: bool  # noqa: N815 - the API's name
    discordLoginEnabled: bool  # noqa: N815 - the API's name
    openidLoginEnabled: bool  # noqa: N815 - the API's name
    minPasswordLength: int  # noqa: N815 - the API's name


class EnrolmentAnswer(Shape):
    """A second factor that counts once a code of it was confirmed."""

    qrCode: str = Field(description="A PNG picture as a `data:` URL.")  # noqa: N815 - the API's name
    secret: str = Field(description="The same for typing in, in Base32.")
    otpauthUrl: str  # noqa: N815 - the API's name
    backupCodes: list[str]  # noqa: N815 - the API's name


class BackupCodeShape(Shape):
    codeHash: str  # noqa: N815 - the API's name
    used: bool
    usedAt: str | None  # noqa: N815 - the API's name


class BackupCodesAnswer(Shape):
    backupCodes: list[str] = Field(description="The former ones are dead.")  # noqa: N815 - the API's name
    backupCodesHash: list[BackupCodeShape] = Field(  # noqa: N815 - the API's name
        description="As LibreChat's client expects it; `codeHash` numbers the codes and is no hash of them."
    )


class VerifiedAnswer(Shape):
    message: str
    status: Literal["success"]


class KeyScope(Shape):
    """One scope; a part that is left out means any."""

    host: str | _LeftOut = None
    path: str | _LeftOut = None
    methods: list[str] | _LeftOut = None


class NewApiKey(Shape):
    """A key that was just made."""

    key: str = Field(description="The key itself. It is shown this once.")
    id: str
    name: str
    keyPrefix: str  # noqa: N815 - the API's name
    scopes: list[KeyScope]
    createdAt: Moment  # noqa: N815 - the API's name
    expiresAt: Moment | None  # noqa: N815 - the API's name


class ApiKeyAnswer(Shape):
    id: str
    name: str
    keyPrefix: str  # noqa: N815 - the API's name
    scopes: list[KeyScope] = Field(description="Empty: whatever the owner may.")
    createdAt: Moment  # noqa: N815 - the API's name
    expiresAt: Moment | None  # noqa: N815 - the API's name
    lastUsedAt: Moment | None  # noqa: N815 - the API's name


class HealthAnswer(Shape):
    status: Literal["ok"]


class ReadinessReason(Shape):
    """A part that is not well: `process`, `database` or `doorbell`."""

    part: Literal["process", "database", "doorbell"]
    effect: str = Field(description="What that means, for people.")
    since: Moment | _LeftOut = None


class ReadinessAnswer(Shape):
    status: Literal["ready", "degraded", "unavailable"]
    reasons: list[ReadinessReason] | _LeftOut = None


class CheckRefusal(ErrorAnswer):
    """A refusal as a proxy is told it."""

    decision_id: str = Field(description="Names the decision in the log and on the page that a browser is shown.")
    login_url: str | _LeftOut = None
