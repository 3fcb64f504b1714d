"""Known, and not permitted."""

from __future__ import annotations

from typing import Self

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


class PermissionDenied(Forbidden):
    """The role does not give it; the message names what is missing."""

    code = "permission_denied"
    sentence = "Your role does not allow this."


class KeyCreationDisabled(Forbidden):
    """The organization lets nobody make keys of their own."""

    code = "pat_creation_disabled"
    sentence = "Personal API keys are switched off here (`pat_creation_disabled`): ask an administrator for a key."


class UnknownWorkspace(Forbidden):
    """The workspace that a request names is not one of the principal's."""

    code = "unknown_workspace"
    sentence = "You are not in the workspace that the request names."


class WorkspaceNotSaid(Forbidden):
    """A service key of several workspaces, and the request names none of them. LangSmith's SDK reads the title."""

    code = "org_scoped_key_requires_workspace"
    title = "org_scoped_key_requires_workspace"
    sentence = "This key belongs to several workspaces: the request has to name one, by its id."

    @classmethod
    def in_header(cls, name: str) -> Self:
        """Say in which header, which is a setting."""
        return cls(f"{cls.sentence.removesuffix('.')} in `{name}`.")


class LoginNotNeeded(Forbidden):
    """Nobody logs in here, so that there is nothing to log in to and no session to act upon."""

    code = "login_not_needed"
    sentence = "No login is needed: this installation lets everybody in as its default user."


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
