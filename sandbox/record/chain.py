"""Tamper evidence as pure functions: a hash chain over the events, and the Merkle tree of RFC 6962, section 2.1.

The chain finds the first changed row. A witness can note the root of the tree.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import chain

GENESIS = bytes(32)  # the predecessor of the first link of a chain


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """The link after ``previous``; ``leaf`` is a leaf hash, so that one hash of the body serves chain and tree."""
    return sha256(previous + leaf).digest()


class Merkle:
    """A Merkle tree that grows leaf by leaf and keeps only the roots of its full subtrees: O(log n) memory."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # roots of full subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        """Add a leaf hash. Each low 1 bit of the old size is a full subtree that the new leaf completes."""
        carry = self.size
        while carry & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            carry >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far; SHA-256 of nothing for an empty tree."""
        if not self._peaks:
            return sha256().digest()
        *larger, root = self._peaks
        for peak in reversed(larger):
            root = node_hash(peak, root)
        return root


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The root over ``leaves`` (the bodies, not their hashes)."""
    tree = Merkle()
    for leaf in leaves:
        tree.add(leaf_hash(leaf))
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes beside the path from leaf ``index`` to the root, lowest first (RFC 6962, 2.1.1)."""
    if len(leaves) == 1:
        return ()
    half = _split(len(leaves))
    if index < half:
        return *inclusion_proof(leaves[:half], index), merkle_root(leaves[half:])
    return *inclusion_proof(leaves[half:], index - half), merkle_root(leaves[:half])


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows that ``leaf`` is number ``index`` (from 0) of the ``size`` leaves under ``root``."""
    return 0 <= index < size and _climb(leaf_hash(leaf), index, size, proof) == root


def _climb(node: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root computed from a proof; None if its length does not fit the tree."""
    if size == 1 or not proof:
        return node if size == 1 and not proof else None
    half = _split(size)
    low = index < half
    below = _climb(node, index if low else index - half, half if low else size - half, proof[:-1])
    if below is None:
        return None
    return node_hash(below, proof[-1]) if low else node_hash(proof[-1], below)


def _split(size: int) -> int:
    """The largest power of two below ``size`` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1


# -- root of a batch or certificate: one hash over the results of all trials, which a witness notes down


FORMAT = 3  # version of the format below; format 2 had a leaf for each trial, format 1 only six columns
encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def batch_root(
    scenario: Mapping, conditions: Mapping[int, dict], claim: Mapping | None, columns: Sequence[str],
    leaves: Iterable[bytes], version: int = FORMAT,
) -> str:  # fmt: skip
    """The root, hexadecimal: of the plan, and of the trials in ``leaves``, which hold the values of ``columns``."""
    about = {
        "format": version, "scenario": scenario, "conditions": sorted(conditions.items()), "claim": claim,
        "columns": columns,
    }  # fmt: skip
    return merkle_root(chain([encode(about).encode()], leaves)).hex()
