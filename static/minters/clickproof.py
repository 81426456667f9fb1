"""Mints Clickproof's links: Python 3.8 or later, no dependency, this one file.

    import os, clickproof

    minter = clickproof.Minter(os.environ["LINK_KEYS"], "https://click.brand.example")
    copy = {"message_id": "spring", "recipient_id": "r1", "sent_at_ms": 1795348800000, "links_total": 1}
    minter.click(copy, "cta", "https://brand.example/landing")  # https://click.brand.example/c/…
    minter.open(copy, "pixel")  # the src of an image
    clickproof.unsubscribe_headers(minter.unsubscribe(copy, "stop"))  # both must be signed by DKIM

A copy is one recipient's mail. `links_total` counts its click links; `group` may be left out. Ids are never mail addresses. What
cannot be minted raises a ValueError that names the field: a bad link would stay dead in its mailbox. Whoever has LINK_KEYS can
make links that your click domain redirects from: only what sends mail may hold it.
"""

import base64
import hashlib
import hmac
import re

_KINDS = {"click": (0, "c"), "open": (1, "o"), "unsubscribe": (2, "u"), "confirm": (3, "u")}
_SCHEMES = ("", "http://", "https://")
_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_MESSAGE_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~@+=$!:-]{1,128}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_NAME = r"(?:[A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*\.?"
# Stricter than the Worker: no IPv6, no escapes in the host. What it takes, browsers and the Worker take.
_URL = re.compile(rf"https?://(?:{_NAME}|{_BYTE}(?:\.{_BYTE}){{3}})(?::([0-9]{{0,5}}))?(?:[/?#][!-~]*)?")


class Minter:
    """Mints links of one click domain. `keys` is LINK_KEYS (kid:base64,…; the first signs), `base_url` scheme and host."""

    def __init__(self, keys, base_url):
        self._kid, self._key = _signing_key(keys)
        self._base = _checked_url("base_url", base_url).rstrip("/")
        if re.search(r"[/?#]", self._base.split("://")[1]):
            raise ValueError("base_url: must be scheme and host alone, such as https://click.brand.example")

    def click(self, copy, link_id, url):
        """A link to `url`, byte for byte."""
        return self._href("click", copy, link_id, _checked_url("url", url))

    def open(self, copy, link_id):
        """An image that tells of the mail's opening."""
        return self._href("open", copy, link_id, "")

    def unsubscribe(self, copy, link_id):
        """A page with a button that unsubscribes, and what mail providers post to."""
        return self._href("unsubscribe", copy, link_id, "")

    def confirm(self, copy, link_id, url=None):
        """A page with a button that confirms, then leads to `url` where one is given."""
        return self._href("confirm", copy, link_id, "" if url is None else _checked_url("url", url))

    def _href(self, kind, copy, link_id, url):
        number, route = _KINDS[kind]
        group = copy.get("group")
        scheme = max(at for at, prefix in enumerate(_SCHEMES) if url.startswith(prefix))
        body = bytes([1 if group is None else 2, number | scheme << 2, len(self._kid)]) + self._kid.encode()
        body += _varint("shards", copy.get("shards", 1), 1, 257)
        body += _varint("links_total", copy.get("links_total"), 0, 2**32)
        body += _varint("sent_at_ms", copy.get("sent_at_ms"), 946684800000, 4133980800000)
        body += _packed("message_id", copy.get("message_id"), _MESSAGE_ID)
        body += _packed("recipient_id", copy.get("recipient_id"), _ID) + _packed("link_id", link_id, _ID)
        body += (b"" if group is None else _packed("group", group, _ID)) + url[len(_SCHEMES[scheme]) :].encode()
        mac = hmac.new(self._key, body, hashlib.sha256).digest()[:16]
        return f"{self._base}/{route}/{base64.urlsafe_b64encode(body + mac).decode().rstrip('=')}"


def unsubscribe_headers(href):
    """The header fields of one-click unsubscription (RFC 8058) for an unsubscribe link."""
    return {"List-Unsubscribe": f"<{href}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _signing_key(keys):
    found = {}
    for entry in str(keys or "").split(","):
        kid, _, text = entry.strip().partition(":")
        try:
            secret = base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4))
        except ValueError:
            secret = b""
        spellings = [encode(secret).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode)]
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,16}", kid) or kid in found or len(secret) < 32:
            raise ValueError("LINK_KEYS: must be kid:base64,… of different ids and at least 32 bytes each")
        if text not in spellings + [spelling.rstrip("=") for spelling in spellings]:
            raise ValueError(f"LINK_KEYS: key {kid} is not base64")
        found[kid] = secret
    kid, secret = next(iter(found.items()))
    return kid, hmac.new(secret, b"clickproof token 1\1", hashlib.sha256).digest()


def _checked_url(field, url):
    match = _URL.fullmatch(url) if isinstance(url, str) and len(url) <= 4096 else None
    if not match or int(match[1] or 0) > 65535:
        raise ValueError(
            f"{field}: must be http:// or https:// in lower case, a host name in ASCII without user info, and printable "
            "ASCII (percent-encode the rest), at most 4096 bytes"
        )
    return url


def _varint(field, number, least, end):
    if type(number) is not int or not least <= number < end:
        raise ValueError(f"{field}: must be a whole number from {least} to {end - 1} (times: Unix milliseconds)")
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def _packed(field, text, rule):
    if not isinstance(text, str) or not rule.fullmatch(text):
        raise ValueError(f"{field}: must match {rule.pattern}")
    # A lower-case UUID has no other spelling than its 16 bytes.
    return b"\0" + bytes.fromhex(text.replace("-", "")) if _UUID.fullmatch(text) else bytes([len(text)]) + text.encode()
