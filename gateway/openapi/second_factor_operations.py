"""The second factor: set up, used and given up."""

from __future__ import annotations

from gateway.errors import (
    Banned,
    ChallengeExpired,
    InvalidCode,
    InvalidFields,
    SecondFactorNotSetUp,
    TooManyAttempts,
)
from gateway.login.second_factor_api_handlers import TempTokenBody
from gateway.openapi.answers import BackupCodesAnswer, EnrolmentAnswer, MessageAnswer, TokenAnswer
from gateway.openapi.operation import Answer, Operation, Tag
from gateway.web.code_bodies import CodeBody

_OF_CODES = (InvalidCode, TooManyAttempts, Banned)
_BEGUN = {200: Answer("Begun. It counts once it is confirmed.", EnrolmentAnswer)}

ENABLE_WITH_CODE = Operation(
    Tag.SECOND_FACTOR,
    "Set up a second factor",
    description="Where a second factor is on already, a code of it is asked for.",
    body=CodeBody,
    answers=_BEGUN,
    refusals=_OF_CODES,
)
ENABLE = Operation(
    Tag.SECOND_FACTOR,
    "Set up a first second factor",
    answers=_BEGUN,
    refusals=(InvalidFields, *_OF_CODES),
)
VERIFY = Operation(
    Tag.SECOND_FACTOR,
    "Try a code of what is being set up",
    description="The code is not spent: send the same one to confirm.",
    body=CodeBody,
    answers={200: Answer("The code is right.", MessageAnswer)},
    refusals=(SecondFactorNotSetUp, *_OF_CODES),
)
CONFIRM = Operation(
    Tag.SECOND_FACTOR,
    "Confirm what is being set up",
    description="This session goes on with new cookies. All others of the account end.",
    body=CodeBody,
    answers={200: Answer("The second factor counts from now on.", MessageAnswer, sets_cookies=True)},
    refusals=(SecondFactorNotSetUp, *_OF_CODES),
)
DISABLE = Operation(
    Tag.SECOND_FACTOR,
    "Switch the second factor off",
    body=CodeBody,
    answers={200: Answer("It is off.", MessageAnswer)},
    refusals=(SecondFactorNotSetUp, *_OF_CODES),
)
REPLACE_CODES = Operation(
    Tag.SECOND_FACTOR,
    "Make new recovery codes",
    description="Asks for a code, or for a login with the second factor within the last five minutes.",
    body=CodeBody,
    answers={200: Answer("The new codes. The former ones are dead.", BackupCodesAnswer)},
    refusals=(SecondFactorNotSetUp, *_OF_CODES),
)
VERIFY_TEMP = Operation(
    Tag.SECOND_FACTOR,
    "Finish a login with a code",
    body=TempTokenBody,
    credentials=(),
    answers={200: Answer("Logged in.", TokenAnswer, sets_cookies=True)},
    refusals=(ChallengeExpired, *_OF_CODES),
)
