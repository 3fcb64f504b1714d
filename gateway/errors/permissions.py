"""Known, and not permitted."""

from __future__ import annotations

from gateway.errors.base import GatewayError


class Forbidden(GatewayError):
    status = 403
    code = "forbidden"
    title = "Forbidden"
    sentence = "You are not allowed to do this."


class MalformedRequest(Forbidden):
    """The original request cannot be read. 403, because nginx knows no 400 in an answer to a check."""

    code = "malformed_request"
    sentence = "The request could not be understood, so it was refused."


class UntrustedPeer(Forbidden):
    code = "untrusted_peer"
    sentence = "Checks are answered for trusted proxies only: add the proxy's address to `trusted_proxies`."


class CrossOrigin(Forbidden):
    code = "cross_origin"
    sentence = "This request came from another site and was refused."


class StaleForm(Forbidden):
    code = "stale_form"
    sentence = "This page had expired. Please try again."


class AnswerTooLarge(Forbidden):
    """What the application should learn does not fit `max_answer_headers`: said instead of cut."""

    code = "answer_too_large"
    sentence = "What is known about this account does not fit into the answer: raise `max_answer_headers`."


class SetupLinkDead(Forbidden):
    code = "setup_link_dead"
    sentence = "This set-up link was used, or is older than 30 minutes. Start the gateway again to get a new one."


class EmailLoginOff(Forbidden):
    code = "email_login_off"
    sentence = "Email login is not allowed."


class SecondFactorRequired(Forbidden):
    """A rule wants a second factor, and this login has none."""

    code = "second_factor_required"
    title = "Second factor required"
    sentence = "This needs a login with a second factor."


class InsufficientScope(Forbidden):
    """A good key outside its scope: known, but not permitted (RFC 6750 section 3.1)."""

    code = "insufficient_scope"
    title = "Insufficient scope"
    sentence = "This API key is limited to something else."


class RegistrationOff(Forbidden):
    code = "registration_off"
    sentence = "Registration is not allowed."


class PasswordResetOff(Forbidden):
    code = "password_reset_off"
    sentence = "Password reset is not allowed."


class Banned(Forbidden):
    """A banned address, or a banned account whose password was right."""

    code = "banned"
    code_in_body = False
    sentence = "Your account has been temporarily banned due to violations of our service."
