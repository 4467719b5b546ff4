"""Who may see the served dashboards: a token of role reader or more, typed once, then a signed cookie.

The cookie holds the token's id, not the token; whether that token is still good is looked up again, so one that
was revoked closes the page within seconds. Tokens in addresses are not taken: addresses end up in logs.
"""

from __future__ import annotations

from html import escape
from time import monotonic
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.auth.login import LoginFormHandler

from workbench.base.access import Access, Role
from workbench.kernel_ext.dashboards.board import asset

_AGAIN = 5.0


class Login(LoginFormHandler):  # type: ignore[misc]
    """One field for the token."""

    def _render(self, message: Any = None) -> None:
        target = escape(self.get_argument("next", default=self.base_url), quote=True)
        mistake = (
            '<p class="wb-mistake" role="alert">This token opens nothing here. Ask for one of role reader.</p>'
            if message
            else ""
        )
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        )
        page = asset("login.html").replace("{{mistake}}", mistake)
        form = f'<input type="hidden" name="next" value="{target}">{self.xsrf_form_html()}'
        self.finish(page.replace("{{hidden}}", form))


class TokenIdentity(IdentityProvider):  # type: ignore[misc]
    """Identifies viewers by the tokens of a workspace (`access`, set before the server starts)."""

    access: Access

    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "login_handler_class": Login, "cookie_options": {"samesite": "Lax"}})
        self._seen: dict[str, float] = {}

    def process_login_form(self, handler: Any) -> User | None:
        return self._user(handler.get_argument("password", default=""))

    async def get_user_token(self, handler: Any) -> User | None:
        kind, _, token = handler.request.headers.get("Authorization", "").partition(" ")
        return self._user(token.strip()) if kind.lower() in ("bearer", "token") and token else None

    def get_user_cookie(self, handler: Any) -> User | None:
        found = super().get_user_cookie(handler)
        return found if isinstance(found, User) and self._is_good(found.username) else None

    def _user(self, token: str) -> User | None:
        identity = self.access.identify(token.strip()) if token.strip() else None
        if identity is None or not identity.may(Role.READER):
            return None
        return User(
            username=identity.id, name=identity.name or identity.id, display_name=identity.name or identity.id
        )

    def _is_good(self, token_id: str) -> bool:
        """Whether the token of that id opens anything, looked up every few seconds."""
        if monotonic() - self._seen.get(token_id, float("-inf")) < _AGAIN:
            return True
        good = token_id == "owner" or any(
            t["id"] == token_id and t["state"] == "active" for t in self.access.tokens()
        )
        if good:
            self._seen[token_id] = monotonic()
        return good
