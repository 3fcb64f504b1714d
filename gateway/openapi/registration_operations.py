"""Coming in, and back in."""

from __future__ import annotations

from gateway.errors import Banned, LinkDead, PasswordResetOff, RegistrationOff, TooManyAttempts
from gateway.openapi.answers import MessageAnswer, VerifiedAnswer
from gateway.openapi.operation import Answer, Operation, Tag
from gateway.registration.bodies import AddressBody, PasswordResetBody, RegistrationBody, VerificationBody

REGISTER = Operation(
    Tag.REGISTRATION,
    "Register",
    description="The answer is the same for an address that has an account: its mailbox is told. Nobody is logged in.",
    body=RegistrationBody,
    credentials=(),
    answers={200: Answer("A mail is on its way.", MessageAnswer)},
    refusals=(RegistrationOff, Banned, TooManyAttempts),
)
VERIFY = Operation(
    Tag.REGISTRATION,
    "Confirm an address",
    body=VerificationBody,
    credentials=(),
    answers={200: Answer("Confirmed. The token of the mail is spent.", VerifiedAnswer)},
    refusals=(LinkDead, Banned, TooManyAttempts),
)
RESEND = Operation(
    Tag.REGISTRATION,
    "Send the link to confirm an address again",
    body=AddressBody,
    credentials=(),
    answers={200: Answer("The same for every address.", MessageAnswer)},
    refusals=(Banned, TooManyAttempts),
)
REQUEST_RESET = Operation(
    Tag.REGISTRATION,
    "Forgot the password",
    body=AddressBody,
    credentials=(),
    answers={200: Answer("The same for every address. An account's mailbox gets a link.", MessageAnswer)},
    refusals=(PasswordResetOff, Banned, TooManyAttempts),
)
RESET = Operation(
    Tag.REGISTRATION,
    "Set a new password",
    description=(
        "`userId` and `token` stand in the mailed link. Every session of the account ends, and a second factor stays "
        "in force."
    ),
    body=PasswordResetBody,
    credentials=(),
    answers={200: Answer("Set. The token of the mail is spent.", MessageAnswer)},
    refusals=(LinkDead, PasswordResetOff, Banned),
)
