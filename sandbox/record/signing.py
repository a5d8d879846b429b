"""Signatures (Ed25519, RFC 8032) over the root of a run, batch or certificate, in a file beside it.

The signed text names kind and format, so that a signature is invalid for another kind with the same root. Keys are PEM
files, as OpenSSL reads and writes them. The package ``cryptography`` does the work (extra ``sign``).
"""

import base64
import binascii
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sandbox.core.errors import RecordError, UsageError
from sandbox.record.store import one_line
from sandbox.record.whole import within, write_text

FILE, FORMAT = "signature.json", 1
LONGEST = 10_000  # bytes of a key or signature
PUBLIC = ".pub"  # suffix of the public key's file

Kind = Literal["run", "batch", "certificate"]


class Root(NamedTuple):
    """What is signed."""

    kind: Kind
    root: str  # hexadecimal

    @property
    def message(self) -> bytes:
        return f"sandbox signature\nformat {FORMAT}\nkind {self.kind}\nroot {self.root}\n".encode()


def new_key(private: Path) -> Path:
    """Write a new private key, readable by its owner only, and the public key beside it; returns the latter's path.

    Raises UsageError if one of them exists: a key is never overwritten.
    """
    ed25519, coding = _library()
    public = private.with_suffix(PUBLIC)
    if private == public:
        raise UsageError(f"{private}: a private key does not end with {PUBLIC}; its public one does")
    key = ed25519.Ed25519PrivateKey.generate()
    own = key.private_bytes(coding.Encoding.PEM, coding.PrivateFormat.PKCS8, coding.NoEncryption())
    shown = key.public_key().public_bytes(coding.Encoding.PEM, coding.PublicFormat.SubjectPublicKeyInfo)
    for path in (private, public):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path}: exists already; keys are not overwritten; choose another --out")
    for path, text, mode in ((private, own, 0o600), (public, shown, 0o644)):
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
            file.write(text)
    return public


def name_of(public: bytes) -> str:
    """A short name of a key: the first half of the SHA-256 of its 32 bytes, hexadecimal."""
    return sha256(public).hexdigest()[:32]


def sign(folder: str | Path, root: Root, private: Path) -> str:
    """Write the signature of a root into its folder, replacing an older one; returns the name of the key."""
    key = _key(private, public=False)
    public = key.public_key().public_bytes_raw()
    about = {"format": FORMAT, **root._asdict(), "key": _text(public), "signature": _text(key.sign(root.message))}
    write_text(within(folder, FILE), json.dumps(about, indent=2) + "\n")
    return name_of(public)


def public_key(path: Path) -> Any:
    """The public key in a file; raises RecordError for any other file."""
    return _key(path, public=True)


def check(folder: str | Path, root: Root, key: Any | None) -> str:
    """A line about the signature; empty if there is none and no key is given.

    ``root`` is recomputed from the content of the folder. Raises RecordError if the holder of the key did not sign it.
    """
    path = within(folder, FILE)
    if key is None:
        if not path.exists():
            return ""
        return f"{path} says that key {name_of(_signature(path)['key'])} signed it; give --key to check that"
    found = _signature(path)
    from cryptography.exceptions import InvalidSignature

    told = _otherwise(found, root, key.public_bytes_raw())
    try:
        key.verify(found["signature"], root.message)
    except InvalidSignature:
        told = told or "the signature is wrong: it was changed, or another key made it"
    if told:
        raise RecordError(f"{path}: {told}")
    return f"signed by key {name_of(key.public_bytes_raw())}"


def _otherwise(found: dict[str, Any], root: Root, public: bytes) -> str:
    """An error if a signature states another key or another content; empty otherwise."""
    if found["key"] != public:
        return f"signed by key {name_of(found['key'])}, not by {name_of(public)}"
    if (found["kind"], found["root"]) != root:
        return f"it signs the {found['kind']} of root {found['root']}, this is the {root.kind} of root {root.root}"
    return ""


def _signature(path: Path) -> dict[str, Any]:
    """The content of a signature file; raises RecordError for any other file."""
    try:
        found = json.loads(_short(path))
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise RecordError(f"{path}: not a signature of format {FORMAT}")
        halves = {name: base64.b64decode(found[name], validate=True) for name in ("key", "signature")}
        if not (isinstance(found["kind"], str) and isinstance(found["root"], str) and len(halves["signature"]) == 64):
            raise ValueError
    except FileNotFoundError:
        raise RecordError(f"{path.parent}: not signed (there is no {FILE} in it)") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise RecordError(f"{path}: not a signature, or damaged") from None
    return {"kind": one_line(found["kind"]), "root": one_line(found["root"]), **halves}


def _key(path: Path, public: bool) -> Any:
    """The key in a file; raises RecordError for another kind of file."""
    ed25519, coding = _library()
    kind, half = (ed25519.Ed25519PublicKey, "public") if public else (ed25519.Ed25519PrivateKey, "private")
    try:
        text = _short(path)
        key = coding.load_pem_public_key(text) if public else coding.load_pem_private_key(text, None)
    except OSError as error:
        raise RecordError(f"{path}: the key cannot be read ({error.strerror or error})") from None
    except Exception:  # the library raises many kinds of errors for invalid keys
        key = None
    if not isinstance(key, kind):
        raise RecordError(f"{path}: expected a {half} key of Ed25519 (PEM), such as 'sandbox keygen' writes")
    return key


def _short(path: Path) -> bytes:
    """The content of a file that must be short; raises ValueError for a long one."""
    with path.open("rb") as file:
        text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise ValueError
    return text


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ModuleNotFoundError:
        raise UsageError("cryptography is missing for keys: pip install 'sandbox[sign]'") from None
    return ed25519, serialization
