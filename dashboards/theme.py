"""Streamlit's settings for our look and for a server that is safe by default (FAULTS B, N)."""

from typing import Any

from dashboards.sign_in import SignIn
from gapwise.figures import palette


def config(port: int, host: str, way: SignIn) -> dict[str, Any]:
    """Return the options of ``st.App.run``; they outrank environment and files."""
    return {**_server(port, host), **_signed_in(way), **_look(), **_sidebar()}


def _signed_in(way: SignIn) -> dict[str, Any]:
    if way.by == "oidc":
        return {"secrets.files": [str(way.file)]}
    return {"server.trustedUserHeaders": {way.header: "email"}} if way.by == "proxy" else {}


def _server(port: int, host: str) -> dict[str, Any]:
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.allowedHosts": ["localhost", "127.0.0.1", "::1"],
        "server.enableAgentApi": False,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": False,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "runner.magicEnabled": False,
        # Else every page made ends in a walk over all objects there are, 0.3 s with torch loaded.
        "runner.postScriptGC": False,
    }


def _look() -> dict[str, Any]:
    return {
        "theme.base": "light",
        "theme.primaryColor": palette.BLUE,
        "theme.backgroundColor": palette.CARD,
        "theme.secondaryBackgroundColor": palette.GROUND,
        "theme.textColor": palette.INK,
        "theme.borderColor": palette.LINE,
        "theme.dataframeBorderColor": palette.LINE,
        "theme.dataframeHeaderBackgroundColor": palette.GROUND,
        "theme.linkColor": palette.BLUE,
        "theme.linkUnderline": False,
        "theme.blueTextColor": palette.BLUE,
        "theme.redTextColor": palette.RED,
        "theme.orangeTextColor": palette.AMBER,
        "theme.violetTextColor": palette.VIOLET,
        "theme.greenTextColor": palette.GOOD,
        "theme.grayTextColor": palette.MUTED,
        "theme.codeBackgroundColor": palette.GROUND,
        "theme.codeTextColor": palette.INK,
        "theme.codeFontSize": "0.84rem",
        "theme.baseFontSize": 15,
        "theme.baseRadius": "0.55rem",
        "theme.buttonRadius": "0.5rem",
        "theme.headingFontSizes": ["1.8rem", "1.25rem", "1.08rem", "1rem", "0.95rem", "0.9rem"],
        "theme.headingFontWeights": [700, 600, 600, 600, 600, 600],
        "theme.metricValueFontSize": "1.6rem",
        "theme.metricValueFontWeight": 700,
        "theme.showWidgetBorder": True,
        "theme.showSidebarBorder": True,
        "theme.paddingTop": "0.6rem",
        "theme.paddingBottom": "3rem",
        "theme.chartCategoricalColors": list(palette.SERIES),
    }


def _sidebar() -> dict[str, Any]:
    return {
        "theme.sidebar.backgroundColor": palette.CARD,
        "theme.sidebar.secondaryBackgroundColor": palette.GROUND,
        "theme.sidebar.borderColor": palette.LINE,
    }
